//! How much is written down of what there can be much of.

use crate::report::Event;

/// How many lines of a kind there may be in a step. More tell nobody more: the rest is in logs and
/// captures.
const MOST: usize = 200;

/// The kinds of which there can be many, each with how many came since the budget was renewed.
#[derive(Debug, Default)]
pub(super) struct Budget {
    says: usize,
    packets: usize,
    questions: usize,
    probes: usize,
}

impl Budget {
    /// Whether there is room for one more line.
    pub(super) fn spends(&mut self, event: &Event) -> bool {
        let Some(count) = self.of(event) else {
            return true;
        };
        *count += 1;
        *count <= MOST
    }

    /// What was left out, by kind; from now on there is room again.
    pub(super) fn renew(&mut self) -> Vec<(&'static str, usize)> {
        let Self {
            says,
            packets,
            questions,
            probes,
        } = std::mem::take(self);
        let all = [
            ("program-says", says),
            ("packet", packets),
            ("question", questions),
            ("probe", probes),
        ];
        let left_out = all
            .into_iter()
            .map(|(kind, count)| (kind, count.saturating_sub(MOST)));
        left_out.filter(|(_, count)| *count > 0).collect()
    }

    fn of(&mut self, event: &Event) -> Option<&mut usize> {
        match event {
            Event::ProgramSays { .. } => Some(&mut self.says),
            Event::Packet { .. } => Some(&mut self.packets),
            Event::Question { .. } => Some(&mut self.questions),
            Event::Probe { .. } => Some(&mut self.probes),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> Event {
        Event::ProgramSays {
            host: "laptop".to_owned(),
            program: "client".to_owned(),
            line: String::new(),
        }
    }

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let mut budget = Budget::default();
        let written = (0..MOST + 3).filter(|_| budget.spends(&said())).count();
        assert_eq!(written, MOST);
        assert!(budget.spends(&Event::Built));
        assert_eq!(budget.renew(), [("program-says", 3)]);
        assert!(budget.spends(&said()));
        assert_eq!(budget.renew(), []);
    }
}
