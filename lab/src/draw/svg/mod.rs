//! The picture as SVG. Its colours are CSS custom properties, so that who embeds it can set them.

mod track;

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};

pub use track::{Hop, Way};

use super::{HostPart, Layout, LinkPlace, NetPlace, Plan, Rect, Side};

/// How the picture looks, for a page that shows more than one; its colours are the page's.
pub const RULES: &str = include_str!("rules.css");

/// The colours of a picture that stands alone.
const COLOURS: &str = include_str!("colours.css");

/// Pixels of a cell.
const CELL: (i32, i32) = (8, 17);

/// Pixels around all.
const MARGIN: i32 = 16;

/// A lab as a file of its own.
pub fn svg_file(plan: &Plan) -> String {
    let layout = Layout::of(plan);
    let ground = html! {
        style { (PreEscaped(COLOURS)) (PreEscaped(RULES)) }
        rect.ground width="100%" height="100%" rx="10" {}
    };
    format!("{}\n", draw(plan, &layout, &ground, &[]).into_string())
}

/// A lab as an element of a page, with the way of a packet that went astray.
pub fn svg(plan: &Plan, layout: &Layout, hops: &[Hop<'_>]) -> Markup {
    draw(plan, layout, &html! {}, hops)
}

fn draw(plan: &Plan, layout: &Layout, below: &Markup, hops: &[Hop<'_>]) -> Markup {
    let (width, height) = (across(layout.width) + MARGIN, down(layout.height) + MARGIN);
    let view = format!("0 0 {width} {height}");
    let title = format!("The lab: {}", plan.title);
    html! {
        svg.lab xmlns="http://www.w3.org/2000/svg" viewBox=(view) width=(width) height=(height) role="img" aria-label=(title) {
            (below)
            (ways(plan, layout))
            (tunnel_line(layout))
            @for (part, place) in plan.nets.iter().zip(&layout.nets) {
                path.net d=(format!("M{} {}V{}", middle(place.x), down(place.top), down(place.bottom + 1))) {}
                (net_label(place, std::iter::once(&part.name).chain(&part.subnets)))
            }
            (links(plan, layout))
            (track::track(plan, layout, hops))
            @for (number, (part, place)) in plan.hosts.iter().zip(&layout.hosts).enumerate() {
                (host(part, place.rect, is_end(plan, number)))
            }
            (tunnel_text(plan, layout))
            (track::stop(plan, layout, hops))
        }
    }
}

fn across(cells: i32) -> i32 {
    MARGIN + cells * CELL.0
}

fn down(cells: i32) -> i32 {
    MARGIN + cells * CELL.1
}

/// The middle of a column.
fn middle(x: i32) -> i32 {
    across(x) + CELL.0 / 2
}

/// The middle of a row.
fn centre(y: i32) -> i32 {
    down(y) + CELL.1 / 2
}

/// Where the letters of a row stand.
fn base(y: i32) -> i32 {
    down(y) + CELL.1 - 5
}

fn is_end(plan: &Plan, host: usize) -> bool {
    let tunnel = plan.tunnel.as_ref();
    tunnel.is_some_and(|it| it.client.host == host || it.server.host == host)
}

fn net_label<'a>(place: &NetPlace, lines: impl Iterator<Item = &'a String>) -> Markup {
    let x = across(place.label.x) + place.label.w * CELL.0 / 2;
    html! {
        @for (number, line) in lines.enumerate() {
            @let y = base(place.label.y + i32::try_from(number).unwrap_or(0));
            @let class = if number == 0 { "name net-name" } else { "subnet" };
            text class=(class) x=(x) y=(y) { (line) }
        }
    }
}

/// The way of the tunnel's packets, below all else.
fn ways(plan: &Plan, layout: &Layout) -> Markup {
    let mut path = String::new();
    let mut rows: Vec<Vec<i32>> = vec![Vec::new(); plan.nets.len()];
    for (host, place) in plan.hosts.iter().zip(&layout.hosts) {
        for (link, at) in host.links.iter().zip(&place.links) {
            if link.carries {
                let (from, to) = ends(at, layout.nets[link.net].x);
                let y = centre(at.line.y);
                write!(path, "M{from} {y}H{to}").expect("a String grows");
                rows[link.net].push(y);
            }
        }
    }
    for (rows, net) in rows.iter().zip(&layout.nets) {
        if let (Some(top), Some(bottom)) = (rows.iter().min(), rows.iter().max()) {
            write!(path, "M{x} {top}V{bottom}", x = middle(net.x)).expect("a String grows");
        }
    }
    html! { @if !path.is_empty() { path.way d=(path) { title { "by which the tunnel's packets go" } } } }
}

/// The box's end of a link and the net's.
fn ends(link: &LinkPlace, net: i32) -> (i32, i32) {
    match link.side {
        Side::Left => (across(link.line.right()), middle(net)),
        Side::Right => (across(link.line.x), middle(net)),
    }
}

fn links(plan: &Plan, layout: &Layout) -> Markup {
    let all = plan.hosts.iter().zip(&layout.hosts);
    let links = all.flat_map(|(host, place)| {
        let links = host.links.iter().zip(&place.links);
        links.map(move |(link, at)| (host, link, at))
    });
    html! {
        @for (host, link, at) in links {
            @let net = layout.nets[link.net].x;
            @let later = if link.later { " later" } else { "" };
            @let full = link.addresses.join(", ");
            g {
                title { (host.name) " " (link.label()) @if !full.is_empty() { ": " (full) } }
                path class=(format!("link{later}")) d=(wire(at, net)) {}
                circle.plug cx=(middle(net)) cy=(centre(at.line.y)) r="4" {}
                (label("address", at.above, at.side, &link.short))
                (label("link-name", at.below, at.side, &link.label()))
            }
        }
    }
}

/// A link's line, with a bow over each net that it crosses.
fn wire(link: &LinkPlace, net: i32) -> String {
    let y = centre(link.line.y);
    let (from, to) = ends(link, net);
    let (from, to) = (from.min(to), from.max(to));
    let mut path = format!("M{from} {y}");
    for hop in &link.hops {
        let x = middle(*hop);
        write!(path, "H{}a8 8 0 0 1 16 0", x - 8).expect("a String grows");
    }
    write!(path, "H{to}").expect("a String grows");
    path
}

/// The label of a link: towards its net.
fn label(class: &str, at: Rect, side: Side, text: &str) -> Markup {
    let (x, anchor) = match side {
        Side::Left => (across(at.x), "start"),
        Side::Right => (across(at.right()), "end"),
    };
    html! { @if !text.is_empty() { text class=(class) x=(x) y=(base(at.y)) text-anchor=(anchor) { (text) } } }
}

fn host(part: &HostPart, rect: Rect, is_end: bool) -> Markup {
    let (x, y) = (across(rect.x), down(rect.y) + 3);
    let (w, h) = (rect.w * CELL.0, rect.h * CELL.1 - 6);
    let class = if is_end { "host end" } else { "host" };
    html! {
        g class=(class) {
            rect.box x=(x) y=(y) width=(w) height=(h) rx="7" {}
            text.name x=(x + 12) y=(base(rect.y + 1) + 1) { (part.name) }
            @for (row, note) in (rect.y + 2..).zip(&part.notes) {
                text.note x=(x + 12) y=(base(row)) { (note) }
            }
        }
    }
}

/// The tunnel's pipe, from one end's box over the lane to the other's.
fn tunnel_line(layout: &Layout) -> Markup {
    let [client, server] = layout.drops.as_slice() else {
        return html! {};
    };
    let lane = centre(client.line.bottom());
    let (from, to) = (middle(client.line.x), middle(server.line.x));
    let turn = if from < to { 12 } else { -12 };
    let path = format!(
        "M{from} {top}V{near}Q{from} {lane} {a} {lane}H{b}Q{to} {lane} {to} {near}V{end}",
        top = down(client.line.y) - 6,
        near = lane - 12,
        a = from + turn,
        b = to - turn,
        end = down(server.line.y) - 6,
    );
    html! { path.pipe d=(path) {} path.flow d=(path) {} }
}

fn tunnel_text(plan: &Plan, layout: &Layout) -> Markup {
    let (Some(tunnel), [client, server]) = (&plan.tunnel, layout.drops.as_slice()) else {
        return html! {};
    };
    let Rect { x, y, w, .. } = layout.name;
    let (middle, wide) = (across(x) + w * CELL.0 / 2, w * CELL.0 + 16);
    html! {
        @for (end, drop) in [(&tunnel.client, client), (&tunnel.server, server)] {
            @for (row, line) in (drop.label.y..).zip(&end.lines) {
                text.address.device x=(across(drop.label.x)) y=(base(row)) { (line) }
            }
        }
        rect.tag x=(middle - wide / 2) y=(centre(y) - 11) width=(wide) height="22" rx="11" {}
        text.tunnel-name x=(middle) y=(base(y) - 1) { (tunnel.name) }
    }
}
