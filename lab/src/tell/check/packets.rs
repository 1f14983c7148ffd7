//! Whether packets come through, and which way.

use super::probe::{manner, target};
use super::when;
use crate::scenario::{
    Direction, How, NoCarrierLoop, Outage, OuterProtocol, Reach, Silent, Target, Throughput, Trace,
    Unreachable,
};
use crate::tell::words::{choice, list, time};

pub(super) fn reach(reach: &Reach) -> String {
    let Reach {
        probe,
        via,
        when: held,
    } = reach;
    let via = via.map_or_else(String::new, |link| format!(", leaving by {link} alone"));
    let (when, from) = (when(*held), &probe.from);
    format!(
        "{when} {from} reaches {} {}{via}.",
        target(probe),
        manner(probe)
    )
}

pub(super) fn unreachable(unreachable: &Unreachable) -> String {
    let Unreachable { probe, hold, how } = unreachable;
    let ways = how.iter().map(|how| match how {
        How::Refused => "it refuses",
        How::Filtered => "somebody on the way drops or forbids that",
        How::Unrouted => "there is no route",
    });
    let how = match how.is_empty() {
        true => String::new(),
        false => format!(", since {}", choice(ways)),
    };
    let (hold, from) = (time(*hold), &probe.from);
    let (target, manner) = (target(probe), manner(probe));
    format!("for {hold} {from} gets no answer from {target} {manner}{how}.")
}

pub(super) fn outage(outage: &Outage) -> String {
    let Outage {
        probe,
        at_most,
        hold,
    } = outage;
    let (hold, from, at_most) = (time(*hold), &probe.from, time(*at_most));
    let (target, manner) = (target(probe), manner(probe));
    format!(
        "from before this step until {hold} after its acts {from} is never longer than {at_most} without \
         an answer from {target} {manner}."
    )
}

pub(super) fn path(trace: &Trace) -> String {
    let Trace {
        probe,
        hops,
        within,
    } = trace;
    let hops = list(
        hops.iter()
            .map(|hop| format!("{} of {}", hop.link, hop.host)),
    );
    let (within, from) = (time(*within), &probe.from);
    let (target, manner) = (target(probe), manner(probe));
    format!(
        "within {within} what {from} asks {target} {manner} passes {hops}, and no other links but those \
         by which the hosts between pass it on."
    )
}

pub(super) fn throughput(throughput: &Throughput) -> String {
    let Throughput {
        probe,
        of,
        at_least,
        hold,
    } = throughput;
    let share = f64::from(*at_least) / 10.0;
    let (hold, from) = (time(*hold), &probe.from);
    let (this, that) = (target(probe), target(of));
    format!("over {hold} {from} gets from {this} at least {share} % of what it gets from {that}.")
}

pub(super) fn silent(silent: &Silent) -> String {
    let Silent {
        on,
        link,
        peers,
        direction,
        hold,
    } = silent;
    let names = peers.iter().map(|it| match it {
        Target::Fixed(address) => address.to_string(),
        Target::Given(given) => format!("{} of {}", given.link, given.host),
    });
    let peers = match peers.is_empty() {
        true => String::new(),
        false => format!(" from or to {}", choice(names)),
    };
    let hold = time(*hold);
    let passes = match direction {
        None => "passes",
        Some(Direction::In) => "comes in by",
        Some(Direction::Out) => "leaves by",
    };
    format!("until {hold} later no packet{peers} {passes} {link} of {on}.")
}

pub(super) fn no_carrier_loop(wanted: &NoCarrierLoop) -> String {
    let NoCarrierLoop {
        on,
        endpoint,
        outer,
        hold,
    } = wanted;
    let protocol = match outer.protocol {
        OuterProtocol::Tcp => "TCP",
        OuterProtocol::Udp => "UDP",
    };
    let (hold, port) = (time(*hold), outer.port);
    format!(
        "until {hold} later nothing that {on} sends to the tunnel's far end ({endpoint}, {protocol} port \
         {port}) goes into the tunnel itself."
    )
}
