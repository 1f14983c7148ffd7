//! Whether all is as it shall be, and if not, what is not.

mod carrier;
mod differences;
mod finding;
mod lan;
mod precedence;
mod reverse_path;
mod shadow;

pub use finding::{Finding, Kind};

use std::fmt::{self, Write as _};

use serde_json::json;

use crate::{Action, Engine, Error, Intent, Numbering, Occasion, quote};

/// What was found.
#[derive(Clone, Debug)]
pub struct Verification {
    intent: Intent,
    findings: Vec<Finding>,
}

impl Verification {
    /// Compares an intent with what the kernel holds.
    pub async fn new(engine: &Engine, intent: Intent, numbering: Numbering) -> Result<Self, Error> {
        let look = engine
            .look(Occasion::Command, Action::Plan, intent, numbering)
            .await?;
        let intent = look.plan.intent().clone();
        let ownership = &look.known.ownership;
        let mut findings = differences::findings(&look.plan, &look.state, ownership);
        findings.extend(precedence::findings(&intent, &look.state, ownership));
        findings.extend(lan::findings(&intent, &look.state));
        findings.extend(shadow::findings(&intent, &look.state));
        let netlink = engine.executor().netlink();
        findings.extend(carrier::findings(&intent, &look.state, netlink).await?);
        if intent.is_empty() && look.known.record.is_none() {
            let tun = intent.tun();
            findings.push(Kind::Missing.of(format!(
                "nothing says what shall stand: no option does, and for {tun} nothing is recorded"
            )));
        }
        let complaints = look.known.complaints.iter();
        findings.extend(complaints.map(|error| Kind::Warning.of(error.chain())));
        // What is wrong comes first.
        findings.sort_by_key(|finding| match finding.kind {
            kind if kind.is_fault() => 0,
            Kind::Warning => 1,
            _ => 2,
        });
        Ok(Self { intent, findings })
    }

    /// What was found.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether all is as it shall be.
    pub fn holds(&self) -> bool {
        !self.findings.iter().any(|finding| finding.kind.is_fault())
    }

    /// As data.
    pub fn json(&self) -> serde_json::Value {
        let findings: Vec<_> = self.findings.iter().map(Finding::json).collect();
        json!({
            "action": "verify",
            "tun": self.intent.tun().as_str(),
            "holds": self.holds(),
            "findings": findings,
        })
    }
}

impl fmt::Display for Verification {
    /// A line for each finding, and how many there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for finding in &self.findings {
            writeln!(text, "{finding}")?;
        }
        let count = |counts: fn(Kind) -> bool| {
            self.findings
                .iter()
                .filter(|finding| counts(finding.kind))
                .count()
        };
        let (faults, warnings) = (count(Kind::is_fault), count(|kind| kind == Kind::Warning));
        let tun = self.intent.tun();
        let verdict = if faults == 0 {
            "all stands"
        } else {
            "not as it shall be"
        };
        write!(
            f,
            "# fps_linux_route action=verify tun={} execute=false\n{text}# {verdict}: {faults} \
             faults, {warnings} warnings",
            quote(tun.as_str())
        )
    }
}
