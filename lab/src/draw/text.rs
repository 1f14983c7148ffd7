//! The picture as text.

use std::fmt::Write as _;

use super::{Layout, Plan, Rect};

/// A lab as text, each line with its newline.
pub fn text(plan: &Plan) -> String {
    let layout = Layout::of(plan);
    let mut page = Page::new(layout.width, layout.height);
    draw_nets(&mut page, plan, &layout);
    draw_links(&mut page, plan, &layout);
    draw_hosts(&mut page, plan, &layout);
    draw_tunnel(&mut page, plan, &layout);
    let mut out = page.lines();
    if let Some(legend) = legend(plan) {
        write!(out, "\n{legend}\n").expect("a String grows");
    }
    out
}

/// What the signs mean that are not plain.
fn legend(plan: &Plan) -> Option<String> {
    let links = || plan.hosts.iter().flat_map(|host| &host.links);
    let carries = links()
        .any(|link| link.carries)
        .then_some("=== by which the tunnel's packets go");
    let later = links()
        .any(|link| link.later)
        .then_some(". . where a host roams to");
    let all: Vec<&str> = carries.into_iter().chain(later).collect();
    (!all.is_empty()).then(|| all.join("     "))
}

fn draw_nets(page: &mut Page, plan: &Plan, layout: &Layout) {
    for (part, place) in plan.nets.iter().zip(&layout.nets) {
        let lines = std::iter::once(&part.name).chain(&part.subnets);
        for (row, line) in (place.label.y..).zip(lines) {
            let wide = i32::try_from(line.chars().count()).unwrap_or(0);
            page.write(place.label.x + (place.label.w - wide + 1) / 2, row, line);
        }
        for row in place.top..=place.bottom {
            page.set(place.x, row, '|');
        }
    }
}

fn draw_links(page: &mut Page, plan: &Plan, layout: &Layout) {
    for (host, place) in plan.hosts.iter().zip(&layout.hosts) {
        for (link, at) in host.links.iter().zip(&place.links) {
            let sign = |x: i32| match (link.later, link.carries) {
                (true, _) if x % 2 == 0 => '.',
                (true, _) => ' ',
                (_, true) => '=',
                _ => '-',
            };
            for x in at.line.x..at.line.right() {
                // A net that is crossed goes on below the link.
                if !at.hops.contains(&x) {
                    page.set(x, at.line.y, sign(x));
                }
            }
            page.set(layout.nets[link.net].x, at.line.y, '+');
            page.write(at.above.x, at.above.y, &link.short);
            page.write(at.below.x, at.below.y, &link.label());
        }
    }
}

fn draw_hosts(page: &mut Page, plan: &Plan, layout: &Layout) {
    for (part, place) in plan.hosts.iter().zip(&layout.hosts) {
        let Rect { x, y, w, h } = place.rect;
        for row in y..y + h {
            let border = row == y || row == y + h - 1;
            for column in x..x + w {
                let corner = column == x || column == x + w - 1;
                let sign = match (border, corner) {
                    (true, true) => '+',
                    (true, false) => '-',
                    (false, true) => '|',
                    (false, false) => ' ',
                };
                page.set(column, row, sign);
            }
        }
        let lines = std::iter::once(&part.name).chain(&part.notes);
        for (row, line) in (y + 1..).zip(lines) {
            page.write(x + 2, row, line);
        }
    }
}

fn draw_tunnel(page: &mut Page, plan: &Plan, layout: &Layout) {
    let (Some(tunnel), Some(lane)) = (&plan.tunnel, layout.lane()) else {
        return;
    };
    for (end, drop) in [&tunnel.client, &tunnel.server]
        .into_iter()
        .zip(&layout.drops)
    {
        for row in drop.line.y..drop.line.bottom() {
            page.set(drop.line.x, row, ':');
        }
        for (row, line) in (drop.label.y..).zip(&end.lines) {
            page.write(drop.label.x, row, line);
        }
    }
    let ends = layout.drops.iter().map(|drop| drop.line.x);
    let (from, to) = (ends.clone().min().unwrap_or(0), ends.max().unwrap_or(0));
    for x in from..=to {
        page.set(x, lane, if (x - from) % 2 == 0 { '-' } else { ' ' });
    }
    page.set(from, lane, '+');
    page.set(to, lane, '+');
    let name = format!(" {} ", tunnel.name);
    page.write(layout.name.x - 1, layout.name.y, &name);
}

/// Rows of characters.
struct Page(Vec<Vec<char>>);

impl Page {
    fn new(width: i32, height: i32) -> Self {
        let [width, height] = [width, height].map(|it| usize::try_from(it).unwrap_or(0));
        Self(vec![vec![' '; width]; height])
    }

    fn set(&mut self, x: i32, y: i32, sign: char) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else {
            return;
        };
        let Some(row) = self.0.get_mut(y) else { return };
        if row.len() <= x {
            row.resize(x + 1, ' ');
        }
        row[x] = sign;
    }

    fn write(&mut self, x: i32, y: i32, text: &str) {
        for (x, sign) in (x..).zip(text.chars()) {
            self.set(x, y, sign);
        }
    }

    fn lines(&self) -> String {
        let line = |row: &Vec<char>| {
            let line: String = row.iter().collect();
            format!("{}\n", line.trim_end())
        };
        self.0.iter().map(line).collect()
    }
}
