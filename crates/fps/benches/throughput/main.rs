//! One TCP flow through the tunnel, beside the same flow over a plain veth, through a tunnel in the clear
//! and through boringtun, in turns: as a ratio, since machines differ. And a ping while it runs.
//!
//! A ratio is the median of those of the rounds, each between two flows that are seconds apart: a shared
//! machine is faster in one minute than in the next.
//!
//! As root, or in a user namespace. Needs `ip` (iproute2). boringtun is measured where `boringtun-cli` is
//! installed (`cargo install boringtun-cli`).

mod boringtun;
mod clear;
mod flow;
mod hosts;
mod program;
mod tunnel;

use std::process::ExitCode;
use std::time::Duration;

use boringtun::Boringtun;
use flow::{flow, median};
use hosts::{FAR, Hosts};
use tunnel::{Tunnel, Wire};

const ROUNDS: usize = 9;

/// A tunnel, and what was measured of it.
struct Measured {
    wire: Wire,
    _tunnel: Tunnel,
    rates: Vec<f64>,
}

/// What else was measured in the same rounds.
struct Beside {
    veth: Vec<f64>,
    clear: Vec<f64>,
    /// Empty where it is not installed.
    boringtun: Vec<f64>,
}

impl Beside {
    fn tell(&self) {
        println!(
            "one TCP flow over a veth: {:.2} Gbit/s",
            median(self.veth.clone()) / 1e9
        );
        println!(
            "one through a tunnel in the clear: {:.2} Gbit/s, {:.3} of the veth",
            median(self.clear.clone()) / 1e9,
            ratio(&self.clear, &self.veth)
        );
        match self.boringtun.is_empty() {
            false => println!(
                "one through boringtun: {:.2} Gbit/s",
                median(self.boringtun.clone()) / 1e9
            ),
            true => println!("NOT MEASURED: boringtun; cargo install boringtun-cli"),
        }
    }
}

/// How many times as fast one is as another, both measured in the same rounds.
fn ratio(of: &[f64], to: &[f64]) -> f64 {
    median(of.iter().zip(to).map(|(one, other)| one / other).collect())
}

impl Measured {
    /// Says what came of it, beside the others, and whether it is what it has to be.
    fn judge(&self, hosts: &Hosts, beside: &Beside) -> bool {
        let (word, of_veth) = (self.wire.word(), ratio(&self.rates, &beside.veth));
        println!(
            "{word}: {:.2} Gbit/s, {of_veth:.3} of the veth, {:.3} of the tunnel in the clear",
            median(self.rates.clone()) / 1e9,
            ratio(&self.rates, &beside.clear)
        );
        let (_, pings) = flow(hosts, &self.wire.far(), true);
        let under_load = median(pings);
        println!("{word}: ping under load {under_load:.1?}");
        let least = self.wire.least();
        let quick = under_load < Duration::from_millis(3);
        let mut promises = vec![
            (format!("at least {least} of the veth"), of_veth >= least),
            ("ping under load below 3 ms".to_owned(), quick),
        ];
        if !beside.boringtun.is_empty() {
            let times = ratio(&self.rates, &beside.boringtun);
            println!("{word}: {times:.2} times boringtun");
            if self.wire == Wire::Extended {
                promises.push(("at least twice boringtun".to_owned(), times >= 2.0));
            }
        }
        for (what, holds) in &promises {
            let verdict = if *holds { "kept:    " } else { "EXCEEDED:" };
            println!("{verdict} {word}, {what}");
        }
        promises.iter().all(|(_, holds)| *holds)
    }
}

fn main() -> ExitCode {
    let hosts = Hosts::new();
    let mut tunnels = [Wire::Version5, Wire::Extended].map(|wire| Measured {
        wire,
        _tunnel: Tunnel::start(&hosts, wire),
        rates: Vec::new(),
    });
    let boringtun = boringtun::is_installed().then(|| Boringtun::start(&hosts));
    clear::start(&hosts);
    let mut beside = Beside {
        veth: Vec::new(),
        clear: Vec::new(),
        boringtun: Vec::new(),
    };
    for round in 0..ROUNDS {
        let (rate, _) = flow(&hosts, FAR, false);
        beside.veth.push(rate);
        print!("round {round}: veth {:.2} Gbit/s", rate / 1e9);
        for it in &mut tunnels {
            let (rate, _) = flow(&hosts, &it.wire.far(), false);
            it.rates.push(rate);
            print!(", {} {:.2}", it.wire.word(), rate / 1e9);
        }
        let (rate, _) = flow(&hosts, clear::AT_FAR, false);
        beside.clear.push(rate);
        print!(", in the clear {:.2}", rate / 1e9);
        if boringtun.is_some() {
            let (rate, _) = flow(&hosts, boringtun::AT_FAR, false);
            beside.boringtun.push(rate);
            print!(", boringtun {:.2}", rate / 1e9);
        }
        println!();
    }
    beside.tell();
    let kept = tunnels.iter().map(|it| it.judge(&hosts, &beside));
    match kept.fold(true, |all, kept| all & kept) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
