//! CNAMEs: where the name that was asked for leads to.

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};

use super::name::WireName;
use super::question::Question;

/// How many times a server is asked for where its own CNAME leads.
pub const MOST_QUESTIONS: usize = 8;

/// What an answer says about the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It has the records.
    Records,
    /// There are none.
    Nothing,
    /// It has a CNAME, and not what is there.
    Open(WireName),
    /// Its CNAMEs lead in a circle.
    Circle,
}

/// Follows the CNAMEs of an answer from the name that was asked for.
pub fn end(question: &Question, message: &Message) -> End {
    let record_type = question.record_type;
    let mut name = question.name.to_name();
    let mut is_alias = false;
    // Each step uses one record up, unless there is a circle.
    for _ in 0..=message.answers.len() {
        if has(message, &name, record_type) {
            return End::Records;
        }
        match alias(message, &name) {
            Some(target) => (name, is_alias) = (target.clone(), true),
            None if is_alias && !is_final(message) => return End::Open(WireName::of(&name)),
            None => return End::Nothing,
        }
    }
    End::Circle
}

/// Adds to an answer that ended in a CNAME what the server says about where it leads.
pub fn append(whole: &mut Message, part: Message) {
    whole.metadata.response_code = part.metadata.response_code;
    whole.metadata.authentic_data &= part.metadata.authentic_data;
    whole.answers.extend(part.answers);
    whole.authorities = part.authorities;
    whole.additionals = part.additionals;
}

fn has(message: &Message, name: &Name, record_type: RecordType) -> bool {
    let is_one = |found: RecordType| found == record_type || record_type == RecordType::ANY;
    let mut answers = message.answers.iter();
    answers.any(|record| record.name == *name && is_one(record.record_type()))
}

fn alias<'a>(message: &'a Message, name: &Name) -> Option<&'a Name> {
    message
        .answers
        .iter()
        .find_map(|record| match &record.data {
            RData::CNAME(target) if record.name == *name => Some(&target.0),
            _ => None,
        })
}

/// Whether the server has looked at the end of the chain: it says that nothing is there (RFC 2308,
/// 2), or why it cannot tell.
fn is_final(message: &Message) -> bool {
    let mut authorities = message.authorities.iter();
    message.metadata.response_code != ResponseCode::NoError
        || authorities.any(|record| record.record_type() == RecordType::SOA)
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::Record;
    use hickory_proto::rr::rdata::{A, CNAME, SOA};

    use super::super::question::tests::question;
    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn cname(from: &str, to: &str) -> Record {
        Record::from_rdata(name(from), 60, RData::CNAME(CNAME(name(to))))
    }

    fn a(of: &str) -> Record {
        Record::from_rdata(name(of), 60, RData::A(A::new(10, 0, 0, 1)))
    }

    fn answer(answers: Vec<Record>) -> Message {
        let mut message = Message::query();
        message.answers = answers;
        message
    }

    fn of(answers: Vec<Record>) -> End {
        end(&question("a.test.", RecordType::A), &answer(answers))
    }

    #[test]
    fn follows_the_chain_whatever_its_order_and_case() {
        assert_eq!(of(vec![a("A.test.")]), End::Records);
        let chain = vec![cname("b.test.", "c."), cname("a.test.", "B.test."), a("c.")];
        assert_eq!(of(chain), End::Records);
        assert_eq!(of(vec![]), End::Nothing);
        assert_eq!(of(vec![a("other.test.")]), End::Nothing);
    }

    #[test]
    fn is_open_where_the_target_is_missing() {
        let target = End::Open(WireName::of(&name("b.test.")));
        assert_eq!(of(vec![cname("a.test.", "b.test.")]), target);
        assert_eq!(of(vec![cname("a.test.", "B.test."), a("c.test.")]), target);
    }

    #[test]
    fn is_not_open_where_the_server_knows_that_nothing_is_there() {
        let question = question("a.test.", RecordType::A);
        let mut message = answer(vec![cname("a.test.", "b.test.")]);
        message.metadata.response_code = ResponseCode::NXDomain;
        assert_eq!(end(&question, &message), End::Nothing);
        message.metadata.response_code = ResponseCode::NoError;
        let soa = RData::SOA(SOA::new(Name::root(), Name::root(), 1, 2, 3, 4, 5));
        message.authorities = vec![Record::from_rdata(name("test."), 60, soa)];
        assert_eq!(end(&question, &message), End::Nothing);
    }

    #[test]
    fn who_asks_for_the_alias_itself_gets_it() {
        let message = answer(vec![cname("a.test.", "b.test.")]);
        for record_type in [RecordType::CNAME, RecordType::ANY] {
            assert_eq!(
                end(&question("a.test.", record_type), &message),
                End::Records
            );
        }
    }

    #[test]
    fn a_circle_has_an_end() {
        let circle = vec![cname("a.test.", "b.test."), cname("b.test.", "a.test.")];
        assert_eq!(of(circle), End::Circle);
        assert_eq!(of(vec![cname("a.test.", "a.test.")]), End::Circle);
    }
}
