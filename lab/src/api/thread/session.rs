//! What a lab does on its thread.

use std::path::PathBuf;

use elsa::FrozenVec;
use tokio::sync::{mpsc, oneshot};
use toml::Table;

use super::{Call, Moves, Order, Plan, Tell};
use crate::api::document::{Document, StepText};
use crate::api::running::Output;
use crate::api::{Failure, FailureKind, IntoValue};
use crate::play::{Checked, End, Event, Live};
use crate::run::{Line, Voice};
use crate::scenario::{Check, Scenario};

/// Builds the lab, and does what it is asked until nobody is left who could ask.
pub(super) fn main(
    plan: Plan,
    asked: mpsc::UnboundedReceiver<Order>,
    dead: oneshot::Receiver<()>,
    tell: oneshot::Sender<Result<(), Failure>>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(live(plan, asked, dead, tell)),
        Err(error) => {
            // Who does not wait any more need not know.
            drop(tell.send(Err(Failure::no_lab(format!("start a runtime: {error}")))));
        }
    }
}

async fn live(
    plan: Plan,
    mut asked: mpsc::UnboundedReceiver<Order>,
    mut dead: oneshot::Receiver<()>,
    tell: oneshot::Sender<Result<(), Failure>>,
) {
    // Not `print`, as what is printed here belongs to the test that has started this thread.
    let say = |line: Line| println!("{}  {}", line.play, line.text);
    let voice = Voice::new(plan.name.clone(), None, &say);
    let mut observe = |event: Event<'_>| voice.event(event);
    let kept = FrozenVec::new();
    let built = async {
        let scenario = kept.push_get(Box::new(plan.document.read()?));
        let live = Live::set_up(scenario, &plan.site, &plan.folder, &mut observe).await;
        live.map_err(not_built)
    };
    let built = tokio::select! {
        biased;
        _ = &mut dead => return,
        built = built => built,
    };
    let live = match built {
        Ok(live) => live,
        Err(failure) => return drop(tell.send(Err(failure))),
    };
    drop(tell.send(Ok(())));
    let mut session = Session {
        kept: &kept,
        live,
        folder: plan.folder.path().to_owned(),
        document: plan.document.clone(),
        to_come: plan.steps.clone(),
        done: None,
        broken: None,
    };
    loop {
        let order = tokio::select! {
            biased;
            _ = &mut dead => break,
            order = asked.recv() => order,
            failed = session.live.idle() => {
                session.broken = Some(failed);
                asked.recv().await
            }
        };
        let Some(order) = order else { break };
        tokio::select! {
            biased;
            _ = &mut dead => break,
            () = session.follow(order) => {}
        }
    }
    // Nobody is left to be told that it could not be written.
    drop(plan.folder.write("scenario.toml", &session.document.text()));
    session.live.strike();
}

fn not_built(end: End) -> Failure {
    Failure::no_lab(match end {
        End::NotBuilt(error) | End::ActFailed { error, .. } => error,
        End::Played | End::Interrupted | End::NotBegun => "it was stopped".to_owned(),
    })
}

struct Session<'a> {
    /// Every scenario that this has been: the play holds on to them.
    kept: &'a FrozenVec<Box<Scenario>>,
    live: Live<'a>,
    folder: PathBuf,
    document: Document,
    /// The steps of the file that were not played yet.
    to_come: Vec<StepText>,
    /// How many acts and expectations of the last step are done; none where another one is to begin.
    done: Option<(usize, usize)>,
    /// Why nothing more is done.
    broken: Option<String>,
}

impl<'a> Session<'a> {
    async fn follow(&mut self, order: Order) {
        fn answer<T>(tell: Tell<T>, with: Result<T, Failure>) {
            // Who does not wait any more need not know.
            drop(tell.send(with));
        }
        match order {
            Order::Move { moves, tell } => answer(tell, self.moves(moves).await),
            Order::File { tell } => answer(tell, self.file().await),
            Order::Run { call, tell } => answer(tell, self.run(call).await),
            Order::Start {
                name,
                program,
                tell,
            } => answer(tell, self.start(name, program).await),
            Order::Lines { program, tell } => answer(tell, self.lines(&program)),
            Order::Remember { moment, tell } => answer(tell, self.remember(moment).await),
            Order::Text { tell } => answer(tell, Ok(self.document.text())),
        }
    }

    /// Does acts and checks expectations.
    async fn moves(&mut self, moves: Moves) -> Result<(), Failure> {
        let before = self.document.clone();
        let planned = self.plan(moves);
        // What cannot be is not part of what was played.
        let scenario = planned.inspect_err(|_| self.document = before)?;
        let checked = self.live.advance(scenario, self.done).await;
        self.done = Some(Document::last(scenario));
        self.judge(checked)
    }

    /// Writes moves down, and reads what comes of it.
    fn plan(&mut self, moves: Moves) -> Result<&'a Scenario, Failure> {
        self.refuse_if_broken()?;
        let joins = moves.name.is_none()
            && match self.done {
                None => false,
                // An act behind an expectation begins another step.
                Some((_, expectations)) => moves.acts.is_empty() || expectations == 0,
            };
        if !joins {
            return self.plan_step(moves);
        }
        self.append(moves.clone());
        let scenario = self.document.read()?;
        let (acts, expectations) = self.done.unwrap_or_default();
        let new = scenario
            .steps
            .last()
            .into_iter()
            .flat_map(|step| &step.expect);
        let mut new = new.skip(expectations);
        if !new.any(|it| matches!(it.check, Check::Outage(_) | Check::Changes(_))) {
            return Ok(self.kept.push_get(Box::new(scenario)));
        }
        if acts > 0 {
            return Err(Failure::mistake(
                "outages and changes are watched from before the acts on: give both to one step, \
                 `lab.step(\"…\").act(…).expect(…)`",
            ));
        }
        if let Some(step) = self.document.steps.last_mut() {
            step.expect.pop();
        }
        self.plan_step(moves)
    }

    fn plan_step(&mut self, moves: Moves) -> Result<&'a Scenario, Failure> {
        let number = self.document.steps.len() + 1;
        let name = moves.name.clone();
        self.document.steps.push(StepText {
            name: name.unwrap_or_else(|| format!("step {number}")),
            ..StepText::default()
        });
        self.append(moves);
        let scenario = self.document.read()?;
        self.done = None;
        Ok(self.kept.push_get(Box::new(scenario)))
    }

    fn append(&mut self, moves: Moves) {
        if let Some(step) = self.document.steps.last_mut() {
            step.acts.extend(moves.acts);
            step.expect.extend(moves.expect);
        }
    }

    /// What came of it. An act that fails is the last.
    fn judge(&mut self, checked: Result<Checked, (Checked, String)>) -> Result<(), Failure> {
        let (checked, error) = match checked {
            Ok(checked) => (checked, None),
            Err((checked, error)) => (checked, Some(error)),
        };
        let kept = checked.kept.as_ref();
        let kept = kept.map(|it| self.folder.join(it).display().to_string());
        let failure = Failure::of(&checked.expectations, kept.as_deref());
        let Some(error) = error else {
            return failure.map_or(Ok(()), Err);
        };
        self.broken = Some(error.clone());
        Err(match failure {
            Some(failure) => failure.and(&error),
            None => Failure::new(FailureKind::Act, error),
        })
    }

    fn refuse_if_broken(&self) -> Result<(), Failure> {
        match &self.broken {
            None => Ok(()),
            Some(why) => Err(Failure::new(
                FailureKind::Act,
                format!("nothing more is done in this lab, since this went wrong before: {why}"),
            )),
        }
    }

    /// Plays the file's steps, in order, up to the first that fails.
    async fn file(&mut self) -> Result<(), Failure> {
        while !self.to_come.is_empty() {
            let StepText { name, acts, expect } = self.to_come.remove(0);
            let name = Some(name);
            self.moves(Moves { name, acts, expect }).await?;
        }
        Ok(())
    }

    /// Runs a program as an act of the current step, which its end does not break.
    async fn run(&mut self, call: Call) -> Result<Output, Failure> {
        let before = self.document.clone();
        let planned = self.plan(Moves {
            acts: vec![phrase(&call, call.exit.unwrap_or(0))],
            ..Moves::default()
        });
        let scenario = planned.inspect_err(|_| self.document = before)?;
        let ran = self
            .live
            .run(scenario, self.done, call.exit.is_none())
            .await;
        self.done = Some(Document::last(scenario));
        let (code, text) = ran.map_err(|error| Failure::new(FailureKind::Act, error))?;
        // Played again, it has to end as it did.
        let exit = code.and_then(|code| u8::try_from(code).ok());
        let acts = self.document.steps.last_mut().map(|step| &mut step.acts);
        if let (Some(exit), Some(last)) = (exit, acts.and_then(|acts| acts.last_mut())) {
            *last = phrase(&call, exit);
        }
        Ok(Output { code, text })
    }

    /// Starts a program that is new.
    async fn start(&mut self, name: String, program: Table) -> Result<(), Failure> {
        let programs = self.document.lab.entry("program");
        let programs = programs.or_insert_with(|| Table::new().into());
        let known = programs.as_table_mut().map(|it| {
            let known = it.contains_key(&name);
            if !known {
                it.insert(name.clone(), program.into());
            }
            known
        });
        if known != Some(false) {
            return Err(Failure::mistake(format!(
                "there is a program `{name}` already: start it with `lab.program(\"{name}\").start()`, or \
                 choose another name"
            )));
        }
        let start = Table::from_iter([("start".to_owned(), name.as_str().into_value())]);
        let started = self.moves(Moves {
            acts: vec![toml::Value::Table(start).to_string()],
            ..Moves::default()
        });
        let started = started.await;
        let mistaken = |failure: &Failure| failure.kind() == FailureKind::Mistake;
        if started.as_ref().is_err_and(mistaken)
            && let Some(programs) = self.document.lab.get_mut("program")
            && let Some(programs) = programs.as_table_mut()
        {
            programs.remove(&name);
        }
        started
    }

    fn lines(&self, program: &str) -> Result<Vec<String>, Failure> {
        self.live
            .lines(program)
            .ok_or_else(|| Failure::mistake(format!("nobody has started a program `{program}`")))
    }

    /// Ends the current step, under this name.
    async fn remember(&mut self, moment: String) -> Result<(), Failure> {
        let before = self.document.clone();
        let planned = self.plan(Moves {
            name: Some(moment),
            ..Moves::default()
        });
        let scenario = planned.inspect_err(|_| self.document = before)?;
        let remembered = self.live.remember(scenario).await;
        self.done = None;
        remembered.map_err(|error| Failure::new(FailureKind::Act, error))
    }
}

/// A call as an act of a scenario.
fn phrase(call: &Call, exit: u8) -> String {
    let keys = [
        ("on", call.on.as_str().into_value()),
        ("command", call.command.clone().into_value()),
        ("exit", exit.into_value()),
        ("within", call.within.into_value()),
    ];
    let keys = keys.map(|(key, value)| (key.to_owned(), value));
    let run = toml::Value::Table(Table::from_iter(keys));
    crate::api::phrase::phrase("run", run)
}
