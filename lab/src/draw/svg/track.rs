//! The way of a packet that went astray, drawn into the picture.

use maud::{Markup, html};

use super::super::{Layout, Plan};
use super::{centre, down, ends, middle};

/// Where a packet was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop<'a> {
    /// The host.
    pub host: &'a str,
    /// Its link, or its TUN device.
    pub link: &'a str,
    /// Which way it went.
    pub way: Way,
}

/// Which way a packet went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Into the host.
    In,
    /// Out of the host.
    Out,
}

/// A point of the picture.
type Point = (i32, i32);

/// How far the line of what came back is from that of what went.
const APART: i32 = 5;

/// The line of the packet, and that of what came back for it.
pub(super) fn track(plan: &Plan, layout: &Layout, hops: &[Hop<'_>]) -> Markup {
    let (there, back) = split(hops);
    let back: Vec<Point> = points(plan, layout, back);
    let apart = |(x, y): &Point| (*x, y + APART);
    html! {
        @if let Some(line) = line(&points(plan, layout, there)) { path.track d=(line) {} }
        @if let Some(line) = line(&back.iter().map(apart).collect::<Vec<_>>()) { path class="track back" d=(line) {} }
    }
}

/// The place where the packet was seen last.
pub(super) fn stop(plan: &Plan, layout: &Layout, hops: &[Hop<'_>]) -> Markup {
    let (there, _) = split(hops);
    let last = points(plan, layout, there).pop();
    html! {
        @if let Some((x, y)) = last {
            g.stop {
                circle cx=(x) cy=(y) r="8" {}
                path d=(format!("M{} {}l6 6m0-6l-6 6", x - 3, y - 3)) {}
            }
        }
    }
}

/// The packet's own way, and from where it turns back on itself: by a link that it has come by.
fn split<'h, 'a>(hops: &'h [Hop<'a>]) -> (&'h [Hop<'a>], &'h [Hop<'a>]) {
    let turns = |(number, hop): (usize, &Hop<'_>)| {
        let same = |it: &Hop<'_>| (it.host, it.link) == (hop.host, hop.link);
        hops[..number].iter().any(same)
    };
    let turn = hops.iter().enumerate().position(turns);
    hops.split_at(turn.unwrap_or(hops.len()))
}

fn line(points: &[Point]) -> Option<String> {
    let (first, rest) = points.split_first()?;
    let rest: String = rest.iter().map(|(x, y)| format!("L{x} {y}")).collect();
    (!rest.is_empty()).then(|| format!("M{} {}{rest}", first.0, first.1))
}

fn points(plan: &Plan, layout: &Layout, hops: &[Hop<'_>]) -> Vec<Point> {
    let mut points = Vec::new();
    for hop in hops {
        let Some((inner, outer)) = ends_of(plan, layout, hop) else {
            continue;
        };
        points.extend(match hop.way {
            Way::Out => [inner, outer],
            Way::In => [outer, inner],
        });
    }
    points.dedup();
    points
}

/// Where a link begins at its host, and where it ends.
fn ends_of(plan: &Plan, layout: &Layout, hop: &Hop<'_>) -> Option<(Point, Point)> {
    let host = plan.host(hop.host)?;
    let links = &plan.hosts[host].links;
    if let Some(link) = links.iter().position(|it| it.name == hop.link) {
        // There are none where the lab could not be drawn.
        let place = layout.hosts.get(host)?.links.get(link)?;
        let (inner, outer) = ends(place, layout.nets.get(links[link].net)?.x);
        let y = centre(place.line.y);
        return Some(((inner, y), (outer, y)));
    }
    let tunnel = plan.tunnel.as_ref()?;
    let both = [&tunnel.client, &tunnel.server]
        .into_iter()
        .zip(&layout.drops);
    let is = |lines: &[String]| lines.first().is_some_and(|device| device == hop.link);
    let mut its = both.filter(|(end, _)| end.host == host && is(&end.lines));
    let (_, drop) = its.next()?;
    let x = middle(drop.line.x);
    Some(((x, down(drop.line.y)), (x, centre(drop.line.bottom()))))
}
