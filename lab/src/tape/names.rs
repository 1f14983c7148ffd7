//! Which interface an index means.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use fps_netlink::{Event, Events, Group, Link, Netlink};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The names of a host's interfaces by index, of those too that have gone since the tape was rewound.
///
/// The kernel does not use an index twice in the life of a namespace, or not for a long time, so
/// a packet's index keeps its meaning when the interface is deleted.
#[derive(Debug)]
pub struct LinkNames {
    names: Arc<Mutex<Names>>,
    /// Changes with each event.
    learnt: watch::Receiver<()>,
    netlink: Netlink,
    follower: JoinHandle<()>,
}

/// What is known by index.
type Names = BTreeMap<u32, Known>;

#[derive(Debug, Default)]
struct Known {
    /// The names it had, the last of them its own.
    names: Vec<String>,
    is_gone: bool,
}

impl LinkNames {
    /// Reads the names and follows their changes.
    pub(super) async fn follow(
        events: OwnedFd,
        netlink: &Netlink,
    ) -> Result<Self, fps_netlink::Error> {
        let names = Arc::default();
        let events = Events::from_socket(events, &[Group::Link])?;
        let (told, learnt) = watch::channel(());
        let follower = tokio::spawn(learn_all(events, Arc::clone(&names), told));
        let names = Self {
            names,
            learnt,
            netlink: netlink.clone(),
            follower,
        };
        names.refresh().await?;
        Ok(names)
    }

    /// Reads the names that there are now.
    pub(super) async fn refresh(&self) -> Result<(), fps_netlink::Error> {
        for link in self.netlink.links().await? {
            learn(&self.names, &link);
        }
        Ok(())
    }

    /// Waits until the interface is known by this name, which it has.
    pub async fn await_name(&self, index: u32, name: &str) {
        let mut learnt = self.learnt.clone();
        while self.of(index).as_deref() != Some(name) {
            if learnt.changed().await.is_err() {
                return;
            }
        }
    }

    /// Forgets interfaces that are gone, and the names that others had and have no more.
    pub(super) fn forget(&self) {
        let mut known = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, link| !link.is_gone);
        for Known { names, .. } in known.values_mut() {
            names.drain(..names.len().saturating_sub(1));
        }
    }

    /// The interface's last name; none where it came and went unseen.
    pub fn of(&self, index: u32) -> Option<String> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(&index).and_then(|it| it.names.last().cloned())
    }

    /// Whether the interface has or had this name since the tape was rewound; none where nothing is known of it.
    pub fn was(&self, index: u32, name: &str) -> Option<bool> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names
            .get(&index)
            .map(|it| it.names.iter().any(|known| known == name))
    }

    /// How many interfaces have or had this name since the tape was rewound.
    pub fn bearers(&self, name: &str) -> usize {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let of_name = |it: &&Known| it.names.iter().any(|known| known == name);
        names.values().filter(of_name).count()
    }

    /// The interface's last name, or what else can be said of it.
    pub fn show(&self, index: u32) -> String {
        self.of(index)
            .unwrap_or_else(|| format!("a link that is gone (index {index})"))
    }
}

impl Drop for LinkNames {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

async fn learn_all(mut events: Events, names: Arc<Mutex<Names>>, told: watch::Sender<()>) {
    // Where the events end, an index that is not known makes a check inconclusive.
    while let Ok(event) = events.next().await {
        match event {
            Event::Link(link) => {
                learn(&names, &link);
                told.send_replace(());
            }
            Event::LinkGone(link) => {
                let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(known) = names.get_mut(&link.index.get()) {
                    known.is_gone = true;
                }
            }
            _ => {}
        }
    }
}

fn learn(names: &Mutex<Names>, link: &Link) {
    let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
    let known = names.entry(link.index.get()).or_default();
    let name = link.name.to_string();
    known.is_gone = false;
    if known.names.last() != Some(&name) {
        known.names.push(name);
    }
}
