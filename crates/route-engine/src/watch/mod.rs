//! Keeping an intent true while the machine changes.

mod due;
mod journal;
mod pace;
mod resolver;
mod signals;
mod trouble;
mod witness;

use std::future::{Future, pending};
use std::time::{Duration, Instant};

use fps_netlink::{Event, Events, Group};
use sd_notify::NotifyState;
use serde_json::json;

use self::due::{Concerns, Due, Places};
use self::journal::Journal;
use self::pace::Pace;
use self::resolver::{Happened, Looked, Resolver};
use self::signals::{Signals, Told};
use self::trouble::Trouble;
use crate::engine::{hold, mirror};
use crate::{Action, Engine, Error, Intent, Numbering, Occasion};

/// How long to wait after a failure before all is looked at once more without an event.
const RETRY: Duration = Duration::from_secs(1);
/// The same for the resolver: systemd-resolved writes its files before it is on the bus (`manager_start` and
/// `manager_connect_bus`), and says nothing of that.
const RETRY_RESOLVER: Duration = Duration::from_millis(100);

/// How a watch is to go on.
#[derive(Clone, Copy, Debug)]
pub struct WatchOptions {
    /// Whether numbers that others take are given way to.
    pub numbering: Numbering,
    /// Whether the device is set down at the end.
    pub down: bool,
}

/// Applies an intent and keeps it true, until SIGTERM or SIGINT: then it cleans up. At SIGHUP the
/// intent is asked for anew. What happens is told on standard output, a line of JSON each, and to
/// systemd (sd_notify(3)).
pub async fn watch(
    engine: Engine,
    options: WatchOptions,
    intent: impl Fn() -> Result<Intent, String>,
    first: Intent,
) -> Result<Vec<Error>, Error> {
    let mut signals = Signals::listen()?;
    let mut watch = Watch::new(engine, options, first)?;
    watch.start().await?;
    loop {
        match watch.until(&mut signals).await {
            Ok(Told::Reload) => watch.reload(intent()),
            Ok(Told::Stop) => return watch.stop().await,
            // Without events nothing can be kept true: what is ours goes, and the error is told.
            Err(error) => {
                let mut errors = watch.stop().await?;
                errors.push(error);
                return Ok(errors);
            }
        }
    }
}

struct Watch {
    engine: Engine,
    options: WatchOptions,
    /// What is wanted, as it was asked for.
    wanted: Intent,
    /// The same with the numbers that were chosen.
    intent: Intent,
    concerns: Concerns,
    events: Events,
    resolver: Option<Resolver>,
    journal: Journal,
    due: Due,
    places: Places,
    pace: Pace,
    /// What the kernel has refused, or others are in the way of.
    trouble: Trouble,
    /// The same of the resolver.
    resolver_trouble: Trouble,
}

impl Watch {
    fn new(mut engine: Engine, options: WatchOptions, wanted: Intent) -> Result<Self, Error> {
        engine.keep(wanted.tun())?;
        let executor = engine.executor();
        let ours = [executor.netlink().port(), executor.bulk().port()];
        let events = Events::subscribe(&Group::ALL).map_err(Error::Netlink)?;
        Ok(Self {
            options,
            intent: wanted.clone(),
            concerns: Concerns::of(&wanted, false),
            events: events.ignoring(&ours),
            resolver: None,
            journal: Journal::of(wanted.tun()),
            wanted,
            due: Due::default(),
            places: Places::default(),
            pace: Pace::default(),
            trouble: Trouble::none(RETRY),
            resolver_trouble: Trouble::none(RETRY_RESOLVER),
            engine,
        })
    }

    /// Applies the intent for the first time: what fails now ends the watch before it begins.
    async fn start(&mut self) -> Result<(), Error> {
        let numbering = self.options.numbering;
        let begun = self
            .engine
            .begin(Action::Apply, self.wanted.clone(), numbering)
            .await?;
        let without_ipv6 = begun.plan().leaves_out_ipv6();
        begun.apply().await?;
        let commands = commands(&begun);
        self.intent = begun.intent().clone();
        drop(begun);
        self.concerns = Concerns::of(&self.intent, without_ipv6);
        self.watch_resolver();
        self.journal.write("ready", json!({"commands": commands}));
        tell_systemd(&[NotifyState::Ready]);
        Ok(())
    }

    /// Follows the resolver, if something is wanted of it.
    fn watch_resolver(&mut self) {
        let wanted = self.wanted.dns().filter(|dns| !dns.is_empty()).cloned();
        let backend = self.engine.executor().shared_dns(self.wanted.resolver());
        let Some((wanted, backend)) = wanted.zip(backend) else {
            self.resolver = None;
            self.resolver_trouble = Trouble::none(RETRY_RESOLVER);
            return;
        };
        let flush = self.resolver.as_ref().is_some_and(Resolver::has_to_flush);
        let (resolver, problem) = Resolver::follow(backend, &self.intent, wanted);
        self.resolver = Some(resolver);
        self.due.roamed |= flush;
        if let Some(problem) = problem {
            self.journal
                .write("resolver-unwatched", json!({"error": problem}));
        }
    }

    fn resolver_has(&mut self, happened: Happened) {
        match happened {
            Happened::Changed => {
                self.resolver_trouble.may_be_over();
                self.due.dns_changed();
            }
            Happened::Unwatched(error) => self
                .journal
                .write("resolver-unwatched", json!({"error": error})),
            Happened::Looked(Ok(Looked { commands, flushed })) => {
                if !commands.is_empty() {
                    self.journal
                        .write("restored", json!({"commands": commands}));
                }
                if flushed {
                    self.journal.write("flushed", json!({}));
                }
                if self.resolver_trouble.is_over() {
                    self.journal.write("recovered", json!({}));
                }
            }
            Happened::Looked(Err(cause)) => {
                let device = self.intent.tun();
                let error = Error::ReadDns { device, cause }.chain();
                if self.resolver_trouble.has(error.clone()) {
                    self.journal.write("failed", json!({"error": error}));
                }
            }
        }
    }

    /// Keeps the intent true until a signal says otherwise.
    async fn until(&mut self, signals: &mut Signals) -> Result<Told, Error> {
        loop {
            while let Some(event) = self.events.next_at_hand().map_err(Error::Netlink)? {
                self.note(&event);
            }
            let wait = self.due.is_due().then(|| self.pace.wait(Instant::now()));
            if wait == Some(Duration::ZERO) {
                self.act().await;
                continue;
            }
            let (retry, ask_again) = (self.trouble.wait(), self.resolver_trouble.wait());
            tokio::select! {
                told = signals.told() => return Ok(told),
                event = self.events.next() => {
                    let event = event.map_err(Error::Netlink)?;
                    self.note(&event);
                }
                happened = optional(self.resolver.as_mut().map(Resolver::happened)) => {
                    self.resolver_has(happened);
                }
                () = optional(wait.map(tokio::time::sleep)) => {}
                () = optional(retry.map(tokio::time::sleep)) => {
                    self.trouble.is_tried();
                    self.look_at_all("a failure a while ago");
                }
                () = optional(ask_again.map(tokio::time::sleep)) => {
                    self.resolver_trouble.is_tried();
                    if let Some(resolver) = &mut self.resolver {
                        resolver.look(false);
                    }
                }
            }
        }
    }

    fn note(&mut self, event: &Event) {
        self.due.note(event, &self.concerns);
        self.due.roamed |= self.places.change(event, &self.concerns);
    }

    /// Looks at what is due, and mends it.
    async fn act(&mut self) {
        let due = std::mem::take(&mut self.due);
        let began = Instant::now();
        self.journal
            .write("seen", json!({"count": due.count, "what": due.because}));
        if due.lan {
            self.mirror().await;
        }
        if due.all {
            self.restore().await;
        }
        if let Some(resolver) = self.resolver.as_mut().filter(|_| due.dns || due.roamed) {
            resolver.look(due.roamed);
        }
        self.pace.looked(began, Instant::now());
    }

    async fn mirror(&mut self) {
        match mirror(self.engine.executor(), &self.intent).await {
            Ok(mirrored) if mirrored.done.is_empty() && mirrored.refused.is_empty() => {}
            Ok(mirrored) => {
                let took = mirrored.until.saturating_duration_since(mirrored.from);
                self.journal.write(
                    "lan",
                    json!({
                        "commands": mirrored.done,
                        "refused": mirrored.refused,
                        "us": u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                    }),
                );
                if !mirrored.refused.is_empty() {
                    self.trouble.try_again();
                }
            }
            Err(error) => self.failed(&error),
        }
    }

    /// Sets again what is missing of the intent, and takes away what is not wanted.
    async fn restore(&mut self) {
        match self.restored().await {
            Ok(Restored { commands, hindered }) => {
                if !commands.is_empty() {
                    self.journal
                        .write("restored", json!({"commands": commands}));
                }
                if let Some(error) = hindered {
                    self.failed(&error);
                } else if self.trouble.is_over() {
                    self.journal.write("recovered", json!({}));
                }
            }
            Err(error) => {
                let held = match self.intent.guards_dns() {
                    true => self.hold().await,
                    false => Ok(()),
                };
                let text = match held {
                    Ok(()) => error.chain(),
                    Err(also) => format!("{}; and {}", error.chain(), also.chain()),
                };
                self.tell(&error, text);
            }
        }
    }

    /// Keeps up the guard against DNS leaks, whatever hinders the rest.
    async fn hold(&mut self) -> Result<(), Error> {
        let commands = hold(self.engine.executor(), &self.intent).await?;
        if !commands.is_empty() {
            self.journal
                .write("restored", json!({"commands": commands}));
        }
        Ok(())
    }

    /// The same but for the resolver, which has somebody of its own.
    async fn restored(&mut self) -> Result<Restored, Error> {
        let (wanted, numbering) = (self.wanted.clone(), self.options.numbering);
        let begun = self
            .engine
            .begin_at(Occasion::Watch, Action::Apply, wanted, numbering)
            .await?;
        let intent = begun.intent().clone();
        let without_ipv6 = begun.plan().leaves_out_ipv6();
        let refused = match begun.needs_something() || intent != self.intent {
            true => begun.apply().await?,
            false => Vec::new(),
        };
        let (errors, passed) = begun.transaction().take_hindered();
        let commands = commands_but(&begun, &passed);
        drop(begun);
        if !refused.is_empty() {
            self.due.lan = true;
        }
        self.concerns = Concerns::of(&intent, without_ipv6);
        self.intent = intent;
        Ok(Restored {
            commands,
            hindered: errors.into_iter().next(),
        })
    }

    /// Tells of a failure, once as long as it is the same, and has all looked at again after a while.
    fn failed(&mut self, error: &Error) {
        self.tell(error, error.chain());
    }

    /// The same in words that may say more.
    fn tell(&mut self, error: &Error, text: String) {
        if self.trouble.has(text.clone()) {
            let event = match error {
                // The tunnel's client may make it anew.
                Error::NoDevice(_) => "waiting",
                _ => "failed",
            };
            self.journal.write(event, json!({"error": text}));
        }
    }

    /// Has all looked at, for a reason of our own.
    fn look_at_all(&mut self, because: &str) {
        let roamed = self.due.roamed;
        self.due = Due::everything(because);
        self.due.lan = self.wanted.keeps_lan();
        self.due.roamed = roamed;
    }

    /// Takes up what is wanted now, if it is valid; else what was wanted stays.
    fn reload(&mut self, wanted: Result<Intent, String>) {
        let reloading = NotifyState::monotonic_usec_now();
        if let Ok(now) = reloading {
            tell_systemd(&[NotifyState::Reloading, now]);
        }
        match wanted {
            Ok(wanted) => {
                self.wanted = wanted;
                self.journal.write("reloaded", json!({}));
                self.look_at_all("SIGHUP");
            }
            Err(error) => self
                .journal
                .write("reload-refused", json!({"error": error})),
        }
        self.watch_resolver();
        tell_systemd(&[NotifyState::Ready]);
    }

    /// Cleans up, and says what would not go.
    async fn stop(self) -> Result<Vec<Error>, Error> {
        tell_systemd(&[NotifyState::Stopping]);
        let down = self.options.down;
        let (action, numbering) = (Action::Cleanup { down }, Numbering::Fixed);
        let begun = self
            .engine
            .begin(action, self.intent.clone(), numbering)
            .await?;
        let commands = commands(&begun);
        let errors = begun.clean_up().await;
        let failed: Vec<_> = errors.iter().map(Error::chain).collect();
        self.journal
            .write("stopped", json!({"commands": commands, "errors": failed}));
        drop(begun);
        self.journal.close();
        Ok(errors)
    }
}

/// What has been mended.
struct Restored {
    commands: Vec<String>,
    /// Why a bypass could not be.
    hindered: Option<Error>,
}

/// The operations that are needed, as commands, each once.
fn commands(begun: &crate::Underway<'_>) -> Vec<String> {
    commands_but(begun, &[])
}

/// The same but for steps that were passed over.
fn commands_but(begun: &crate::Underway<'_>, passed: &[usize]) -> Vec<String> {
    let transaction = begun.transaction();
    let steps = transaction.needed().steps.iter().enumerate();
    let mut commands: Vec<_> = steps
        .filter(|(place, _)| !passed.contains(place))
        .map(|(_, step)| transaction.operation(step).to_string())
        .collect();
    commands.dedup();
    commands
}

/// What a future gives; where there is none, nothing ever.
async fn optional<T>(future: Option<impl Future<Output = T>>) -> T {
    match future {
        Some(future) => future.await,
        None => pending().await,
    }
}

/// Where systemd does not listen there is nobody to tell.
fn tell_systemd(state: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(state);
}
