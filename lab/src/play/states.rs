//! What each host's network was like between the steps.

use indexmap::IndexMap;

use super::report::StateReport;
use super::stage::Stage;
use crate::report::Event;
use crate::scenario::HostName;
use crate::snapshot::Snapshot;

/// The last look at each host, and the file that has it.
pub(super) type States = IndexMap<HostName, (Snapshot, String)>;

impl Stage<'_> {
    /// Looks at every host when a number of steps is over, and writes down what is new. A host that is as it
    /// was when it was looked at last keeps that file: `state-0-laptop.json`.
    pub(super) async fn look_at_hosts(&mut self, steps: usize) -> Result<(), super::StageError> {
        let mut seen = States::new();
        for (name, host) in self.lab.hosts() {
            // It is no step's failure that a host cannot be looked at.
            let snapshot = match Snapshot::in_passing(self.lab.sandbox(), host).await {
                Ok(snapshot) => snapshot,
                Err(error) => {
                    self.timeline.tell(Event::NoSnapshot {
                        host: name.to_string(),
                        why: crate::chain(&error),
                    });
                    continue;
                }
            };
            let last = self.states.swap_remove(name);
            let same = last.filter(|(last, _)| *last == snapshot);
            let file = match same {
                Some((_, file)) => file,
                None => {
                    let file = format!("state-{steps}-{name}.json");
                    self.folder.write_json(&file, &snapshot)?;
                    file
                }
            };
            seen.insert(name.clone(), (snapshot, file));
        }
        self.states = seen;
        Ok(())
    }

    /// The files that have each host as it was before a step; `after` is filled in when that is over.
    pub(super) fn states_before(&self) -> Vec<StateReport> {
        let hosts = self.lab.hosts();
        let before = hosts.map(|(name, _)| StateReport {
            host: name.to_string(),
            before: self.state_file(name.as_str()),
            after: None,
        });
        before.collect()
    }

    /// The file that has a host as it is now.
    pub(super) fn state_file(&self, host: &str) -> Option<String> {
        let mut states = self.states.iter();
        let (_, (_, file)) = states.find(|(name, _)| name.as_str() == host)?;
        Some(file.clone())
    }
}
