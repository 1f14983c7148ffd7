//! A lab that is held, for somebody to look around in it.

use std::future::pending;

use super::{End, Event, Play, Step, act};
use crate::desk::{Hold, Next};

impl Play<'_, '_> {
    /// Stops at a step of which something did not hold that no sabotage was to harm, until somebody
    /// says that the play goes on. All expectations of the step have been checked by then, so that
    /// no time runs out meanwhile.
    pub(super) async fn pause(&mut self, step: &Step) -> Result<(), End> {
        let number = self.failures(0);
        if number == 0 || !self.is_held(Hold::AtFailure) {
            return Ok(());
        }
        let plural = if number == 1 { "" } else { "s" };
        let at = format!(
            "after step `{}`: {number} expectation{plural} failed",
            step.name
        );
        match self.hold(&at).await {
            Next::GoOn => Ok(()),
            Next::End => Err(End::Interrupted),
        }
    }

    /// Holds the lab at the end of the play, if it is to be held there.
    pub(super) async fn hold_at(&mut self, end: &End) {
        match end {
            End::ActFailed { step, error } if self.desk.is_some() => {
                let at = format!("in `{step}`: {error}");
                self.hold(&at).await;
            }
            End::Played if self.is_held(Hold::AtEnd) => {
                let at = match self.report.steps.last() {
                    Some(step) => format!("after step `{}`", step.name),
                    None => "before the first step".to_owned(),
                };
                self.hold(&at).await;
            }
            _ => {}
        }
    }

    fn is_held(&self, when: Hold) -> bool {
        self.desk.as_ref().is_some_and(|desk| desk.hold() == when)
    }

    /// Holds the lab, which goes on as it is meanwhile, until somebody says what becomes of it.
    async fn hold(&mut self, at: &str) -> Next {
        let (stage, observe) = (&mut *self.stage, &mut *self.observe);
        let Some(desk) = self.desk.as_deref_mut() else {
            return Next::GoOn;
        };
        let paused = desk.hold() == Hold::AtFailure;
        let rested = if paused {
            stage.rest().await.map_err(|error| crate::chain(&error))
        } else {
            stage.disarm();
            Ok(())
        };
        let named = stage.lab.sandbox().name_namespaces();
        let named = named.map_err(|error| crate::chain(&error));
        for why in [rested, named].into_iter().filter_map(Result::err) {
            observe(Event::Trouble { why: &why });
        }
        let held = desk.holds(&stage.lab, stage.programs.names(), at).await;
        let guide = match held {
            Ok(guide) => guide,
            Err(error) => {
                let why = crate::chain(&error);
                observe(Event::Trouble { why: &why });
                return Next::GoOn;
            }
        };
        observe(Event::Held {
            at,
            guide: &guide,
            paused,
        });
        let next = tokio::select! {
            biased;
            next = desk.order() => next,
            () = follow_leases(stage, observe) => Next::End,
        };
        desk.plays(&stage.lab);
        if next == Next::GoOn {
            observe(Event::Resumed);
        }
        next
    }
}

/// Passes on what DHCP clients are given; where that fails it says so, and the lab is held all the
/// same. Does not return.
async fn follow_leases(stage: &super::Stage<'_>, observe: &mut dyn FnMut(Event<'_>)) {
    let failed = match act::dhcp::follow(stage).await {
        Ok(never) => match never {},
        Err(error) => crate::chain(&error),
    };
    observe(Event::Trouble { why: &failed });
    pending::<()>().await;
}
