//! `impair`

use std::time::Duration;

use fps_netlink::LinkName;

use super::routes::LEAST_V6_MTU;
use crate::scenario::model::{
    BitRate, HostName, ImpairAction, ImpairChange, Impairment, Shape, Share, Ways,
};
use crate::scenario::read::{Family, Lab};
use crate::scenario::syntax::{Node, Table, optional};

/// What happens to frames.
const SHAPE: [&str; 5] = ["delay", "jitter", "loss", "reorder", "rate"];

/// Reads how bad a link becomes, or that it is good again.
pub(crate) fn change(node: Node<'_>, lab: &Lab) -> Option<ImpairChange> {
    let keys = [&["on", "link", "clear", "way", "mtu"][..], &SHAPE].concat();
    let table = node.table("`impair`", &keys)?;
    let on = super::on(&table, lab);
    let word = table.need("link", "\"wlan0\"").and_then(Node::word);
    let on = on?;
    let link = lab.link(&on, word?)?;
    let what = match optional(table.get("clear"), Node::flag)? {
        Some(true) => clear(&table)?,
        Some(false) | None => ImpairAction::Set(impairment(&table, &on, &link, lab)?),
    };
    Some(ImpairChange { on, link, what })
}

fn clear(table: &Table<'_>) -> Option<ImpairAction> {
    let mut others = SHAPE.iter().chain(&["way", "mtu"]);
    let Some(word) = others.find_map(|key| table.key(key)) else {
        return Some(ImpairAction::Clear);
    };
    let wrong = word.wrong(format!("a link that is good again has no `{}`", word.text));
    word.refuse(wrong.help("leave it out, or `clear`"))
}

fn impairment(table: &Table<'_>, on: &HostName, link: &LinkName, lab: &Lab) -> Option<Impairment> {
    let way = optional(table.get("way"), |node| {
        let ways = [("out", Ways::Out), ("in", Ways::In), ("both", Ways::Both)];
        node.choice("way", &ways)
    });
    let mtu = optional(table.get("mtu"), |node| mtu(node, on, link, lab));
    let shaped = SHAPE.iter().any(|key| table.get(key).is_some());
    let shape = match shaped {
        true => Some(shape(table)?),
        false => None,
    };
    let (way, mtu) = (way?, mtu?);
    if shape.is_none() && mtu.is_none() {
        let wrong = table.wrong("`impair` says nothing that is bad");
        return table.refuse(wrong.help("add `delay = \"50ms\"`, or `clear = true`"));
    }
    if let (None, Some(word)) = (shape, table.key("way")) {
        let wrong = word.wrong("an MTU is that of both ends");
        return word.refuse(wrong.help("leave `way` out"));
    }
    let ways = way.unwrap_or(Ways::Both);
    let shape = shape.map(|shape| (shape, ways));
    Some(Impairment { shape, mtu })
}

fn shape(table: &Table<'_>) -> Option<Shape> {
    let delay = optional(table.get("delay"), Node::duration);
    let jitter = optional(table.get("jitter"), Node::duration);
    let loss = optional(table.get("loss"), share);
    let reorder = optional(table.get("reorder"), share);
    let rate = optional(table.get("rate"), rate);
    let (delay, jitter) = (delay?, jitter?);
    let (loss, reorder, rate) = (loss?, reorder?, rate?);
    let delay = delay.unwrap_or(Duration::ZERO);
    if let (true, Some(word)) = (delay.is_zero(), table.key("reorder")) {
        let wrong = word.wrong("without a delay nobody is overtaken");
        return word.refuse(wrong.help("add `delay = \"50ms\"`"));
    }
    let jitter = jitter.unwrap_or(Duration::ZERO);
    if let (true, Some(node)) = (jitter > delay, table.get("jitter")) {
        let wrong = node.wrong("a frame would arrive before it is sent");
        return node.refuse(wrong.help("give a `delay` that is not shorter than the jitter"));
    }
    Some(Shape {
        delay,
        jitter,
        loss: loss.unwrap_or_default(),
        reorder: reorder.unwrap_or_default(),
        rate,
    })
}

/// A share of all, in percent: `"5%"`, `"0.1%"`.
fn share(node: Node<'_>) -> Option<Share> {
    let word = node.word()?;
    let number = word.text.strip_suffix('%');
    let percent = number.and_then(|number| number.trim().parse::<f64>().ok());
    let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
    let Some(percent) = percent else {
        let wrong = word.wrong(format!("`{}` is no share", word.text));
        return word.refuse(wrong.help("write a number from 0 to 100 with %, such as \"2.5%\""));
    };
    // Of a hundred, so that it fits by far.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 1 000 000"
    )]
    let millionths = (percent * 1e4).round() as u32;
    if millionths == 0 {
        return word.refuse(word.wrong("a share of nothing does nothing"));
    }
    Some(Share(millionths))
}

/// Bits a second, as tc(8) writes them: `"10mbit"`.
fn rate(node: Node<'_>) -> Option<BitRate> {
    let word = node.word()?;
    let end = word.text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = word.text.split_at(end.unwrap_or(word.text.len()));
    let factor = match unit {
        "kbit" => Some(1_000),
        "mbit" => Some(1_000_000),
        "gbit" => Some(1_000_000_000),
        _ => None,
    };
    let bits = number.parse::<u64>().ok().zip(factor);
    let bits = bits.and_then(|(number, factor)| number.checked_mul(factor));
    match bits.filter(|bits| (8_000..=10_000_000_000).contains(bits)) {
        Some(bits) => Some(BitRate(bits)),
        None => {
            let wrong = word.wrong(format!("`{}` is no rate", word.text));
            let wrong = wrong.note("rates go from 8kbit to 10gbit");
            word.refuse(wrong.help("write an integer with kbit, mbit or gbit, such as \"10mbit\""))
        }
    }
}

fn mtu(node: Node<'_>, on: &HostName, link: &LinkName, lab: &Lab) -> Option<u32> {
    let mtu = node.integer("MTU", 68..=65_535)?;
    let mtu = u32::try_from(mtu).ok()?;
    let mut plugs = lab.plugs.of(on, Some(link));
    let v6 = plugs.find(|plug| plug.address.addr().is_ipv6());
    let is_v6 = v6.is_some() || lab.plugs.is_given(on, link, Family::V6);
    if mtu >= LEAST_V6_MTU || !is_v6 {
        return Some(mtu);
    }
    let wrong = node.wrong(format!("IPv6 needs an MTU of {LEAST_V6_MTU}"));
    let wrong = wrong.label("with less, the kernel takes IPv6 off the link");
    node.refuse(match v6 {
        Some(plug) => wrong.other(plug.span, "the IPv6 address"),
        None => wrong.note("routers give it an IPv6 address"),
    })
}
