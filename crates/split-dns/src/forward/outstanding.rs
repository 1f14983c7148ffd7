//! Clients that wait for an answer.

use std::collections::HashMap;

use super::cache::Key;

/// Who waits for what. Those who ask the same wait for one answer.
#[derive(Debug)]
pub struct Outstanding<W> {
    waiting: HashMap<Key, Vec<W>>,
    count: usize,
    most: usize,
}

/// What has become of one who asks.
#[derive(Debug, PartialEq, Eq)]
pub enum Joined<W> {
    /// Nobody waits for this yet: a server is to be asked.
    First,
    /// A server has been asked already.
    Later,
    /// The same question of the same client waits: it has lost patience.
    Again,
    /// As many wait as may.
    Full(W),
}

impl<W: PartialEq> Outstanding<W> {
    /// Nobody; at most so many.
    pub fn new(most: usize) -> Self {
        Self {
            waiting: HashMap::new(),
            count: 0,
            most,
        }
    }

    /// Another number may wait from now on; those who do are left.
    pub fn set_most(&mut self, most: usize) {
        self.most = most;
    }

    /// Somebody asks.
    pub fn join(&mut self, key: Key, who: W) -> Joined<W> {
        let others = self.waiting.get_mut(&key);
        if others.as_ref().is_some_and(|others| others.contains(&who)) {
            return Joined::Again;
        }
        if self.count >= self.most {
            return Joined::Full(who);
        }
        self.count += 1;
        match others {
            Some(others) => {
                others.push(who);
                Joined::Later
            }
            None => {
                self.waiting.insert(key, vec![who]);
                Joined::First
            }
        }
    }

    /// There is an answer: those who have waited for it.
    pub fn finish(&mut self, key: &Key) -> Vec<W> {
        let all = self.waiting.remove(key).unwrap_or_default();
        self.count -= all.len();
        all
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::RecordType;

    use super::super::question::tests::question;
    use super::super::routes::GroupId;
    use super::*;

    fn key(name: &str) -> Key {
        Key {
            group: GroupId::default(),
            question: question(name, RecordType::A),
        }
    }

    #[test]
    fn who_asks_the_same_waits_for_one_answer() {
        let mut outstanding = Outstanding::new(9);
        assert_eq!(outstanding.join(key("a."), 1), Joined::First);
        assert_eq!(outstanding.join(key("a."), 2), Joined::Later);
        assert_eq!(outstanding.join(key("a."), 1), Joined::Again);
        assert_eq!(outstanding.join(key("b."), 3), Joined::First);
        assert_eq!(outstanding.finish(&key("a.")), [1, 2]);
        assert_eq!(outstanding.join(key("a."), 4), Joined::First);
    }

    #[test]
    fn no_more_wait_than_may() {
        let mut outstanding = Outstanding::new(2);
        outstanding.join(key("a."), 1);
        outstanding.join(key("a."), 2);
        assert_eq!(outstanding.join(key("a."), 3), Joined::Full(3));
        assert_eq!(outstanding.join(key("b."), 3), Joined::Full(3));
        outstanding.finish(&key("a."));
        assert_eq!(outstanding.join(key("b."), 3), Joined::First);
    }
}
