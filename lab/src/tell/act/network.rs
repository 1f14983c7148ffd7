//! Acts on a host's network.

use fps_netlink::Family;

use crate::scenario::{
    AddressChange, FirewallAction, FirewallChange, ImpairAction, ImpairChange, Impairment,
    RouteAction, RouteChange, RuleChange, Shape, Share, Ways,
};
use crate::tell::words::{code, list, time};

pub(super) fn route(change: &RouteChange) -> String {
    let RouteChange { on, action, route } = change;
    format!("On {on} the route `{route}` {}.", comes(*action))
}

pub(super) fn rule(change: &RuleChange) -> String {
    let RuleChange {
        on,
        action,
        in_front,
        rules,
    } = change;
    let texts = rules.iter().map(|rule| {
        let family = match rule.family {
            Family::V4 => "",
            Family::V6 => " (IPv6)",
        };
        let text = rule.to_string();
        let text = match in_front {
            true => text.strip_prefix("pref 0 ").unwrap_or(&text),
            false => &text,
        };
        format!("{}{family}", code(text))
    });
    let place = match (in_front, action) {
        (true, RouteAction::Add) => " before all but that of table local",
        (true, RouteAction::Delete) => " wherever it is",
        (false, _) => "",
    };
    let rules = match rules.len() {
        1 => "a rule",
        _ => "rules",
    };
    let comes = comes(*action).trim_end_matches('s');
    let comes = if rules == "rules" {
        comes.to_owned()
    } else {
        format!("{comes}s")
    };
    format!("On {on} {rules} {comes}{place}: {}.", list(texts))
}

pub(super) fn address(change: &AddressChange) -> String {
    let AddressChange {
        on,
        link,
        action,
        address,
        lifetimes,
        metric,
        bare,
    } = change;
    let times = lifetimes.map(|times| {
        let valid = times.valid.map(|it| format!("valid for {}", time(it)));
        let preferred = times
            .preferred
            .map(|it| format!("preferred for {}", time(it)));
        list(valid.into_iter().chain(preferred))
    });
    let times = times.map_or_else(String::new, |times| format!(", {times}"));
    let route = match (metric, bare) {
        (_, true) => ", without a connected route".to_owned(),
        (Some(metric), false) => format!(", with a connected route of metric {metric}"),
        (None, false) => String::new(),
    };
    let comes = comes(*action);
    format!("On {on} the address {address} of {link} {comes}{times}{route}.")
}

fn comes(action: RouteAction) -> &'static str {
    match action {
        RouteAction::Add => "comes",
        RouteAction::Delete => "goes",
    }
}

pub(super) fn firewall(change: &FirewallChange) -> String {
    let FirewallChange { on, what } = change;
    match what {
        FirewallAction::Clear => {
            format!("On {on} the firewall loses all rules that steps have added.")
        }
        FirewallAction::Add(rules) => {
            let rules = rules.iter().map(|rule| code(&rule.to_string()));
            format!("On {on} the firewall gets {}.", list(rules))
        }
    }
}

pub(super) fn impair(change: &ImpairChange) -> String {
    let ImpairChange { on, link, what } = change;
    let Impairment { shape: frames, mtu } = match what {
        ImpairAction::Clear => return format!("On {on} {link} is good again."),
        ImpairAction::Set(impairment) => impairment,
    };
    let mut said = frames
        .map(|(it, ways)| shape(&it, ways))
        .unwrap_or_default();
    said.extend(mtu.map(|mtu| format!("it has an MTU of {mtu} at both ends")));
    format!("On {on} {link} gets bad: {}.", list(said))
}

fn shape(shape: &Shape, ways: Ways) -> Vec<String> {
    let Shape {
        delay,
        jitter,
        loss,
        reorder,
        rate,
    } = shape;
    let ways = match ways {
        Ways::Out => "on the way out",
        Ways::In => "on the way in",
        Ways::Both => "both ways",
    };
    let mut said = Vec::new();
    if !delay.is_zero() || !jitter.is_zero() {
        let more = match jitter.is_zero() {
            true => String::new(),
            false => format!(", give or take {}", time(*jitter)),
        };
        said.push(format!("{ways} frames take {} longer{more}", time(*delay)));
    }
    if *loss > Share(0) {
        said.push(format!("{ways} {loss} of frames are lost"));
    }
    if *reorder > Share(0) {
        said.push(format!("{ways} {reorder} of frames overtake others"));
    }
    said.extend(rate.map(|rate| format!("{ways} no more than {rate} go in a second")));
    said
}
