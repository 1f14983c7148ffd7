//! One arrangement, packed from the top.

use super::frame::{Arrangement, Frame, label_height, link_width};
use super::{Drop, HostPlace, Layout, LinkPlace, NetPlace, Rect, Side, cells};
use crate::draw::{LinkPart, Plan, TunnelEnd};

/// Rows from one link of a host to the next on the same side: its addresses, its line, its name.
const LINK: i32 = 3;

/// What is placed so far.
struct Sheet<'a> {
    plan: &'a Plan,
    arrangement: &'a Arrangement,
    frame: Frame,
    /// Boxes and labels: nothing crosses them.
    solids: Vec<Rect>,
    /// Links: they cross nets and the tunnel's ends, and nothing else.
    lines: Vec<Rect>,
    nets: Vec<Option<NetPlace>>,
    hosts: Vec<HostPlace>,
}

/// A host at some row: all that comes with it.
struct Draft {
    host: HostPlace,
    nets: Vec<(usize, NetPlace)>,
    labels: Vec<Rect>,
}

/// Places everything; nothing where this arrangement makes parts overlap.
pub(super) fn pack(plan: &Plan, arrangement: &Arrangement) -> Option<Layout> {
    let mut sheet = Sheet {
        plan,
        arrangement,
        frame: Frame::new(plan, arrangement),
        solids: Vec::new(),
        lines: Vec::new(),
        nets: vec![None; plan.nets.len()],
        hosts: vec![HostPlace::default(); plan.hosts.len()],
    };
    for host in &arrangement.order {
        sheet.place(*host)?;
    }
    sheet.place_lonely_nets()?;
    sheet.finish()
}

impl Sheet<'_> {
    fn place(&mut self, host: usize) -> Option<()> {
        let tallest = (0..self.plan.nets.len()).map(|net| label_height(self.plan, net));
        let first = tallest.max().unwrap_or(0) + 1;
        // Nothing may come below an end of the tunnel.
        let first = first.max(if self.is_end(host) {
            self.floor(host)
        } else {
            0
        });
        let last = self.bottom() + 12 + 2 * first;
        let draft = (first..=last).find_map(|y| {
            let draft = self.draft(host, y);
            self.fits(&draft).then_some(draft)
        })?;
        self.solids.push(draft.host.rect);
        self.solids.extend(draft.labels);
        self.lines.extend(draft.host.links.iter().map(|it| it.line));
        for (net, place) in draft.nets {
            self.nets[net] = Some(place);
        }
        self.hosts[host] = draft.host;
        Some(())
    }

    fn is_end(&self, host: usize) -> bool {
        let tunnel = self.plan.tunnel.as_ref();
        tunnel.is_some_and(|it| it.client.host == host || it.server.host == host)
    }

    /// The first row below all that is in a host's gap.
    fn floor(&self, host: usize) -> i32 {
        let (x, w) = self.frame.boxes[self.arrangement.gaps[host]];
        let whole = Rect {
            x,
            y: 0,
            w,
            h: i32::MAX,
        };
        let inside = self
            .solids
            .iter()
            .chain(&self.lines)
            .filter(|it| whole.meets(it));
        inside.map(|it| it.bottom() + 1).max().unwrap_or(0)
    }

    fn bottom(&self) -> i32 {
        let solids = self.solids.iter().map(Rect::bottom);
        let nets = self.nets.iter().flatten().map(|net| net.bottom + 1);
        solids.chain(nets).max().unwrap_or(0)
    }

    /// A host whose box begins in this row.
    fn draft(&self, host: usize, y: i32) -> Draft {
        let part = &self.plan.hosts[host];
        let gap = self.arrangement.gaps[host];
        let (x, w) = self.frame.boxes[gap];
        let mut turns: Vec<usize> = (0..part.links.len()).collect();
        turns.sort_by_key(|link| {
            let (column, place) = self.frame.spots[part.links[*link].net];
            (place, column)
        });
        let (mut left, mut right) = (0, 0);
        let mut links = vec![LinkPlace::default(); part.links.len()];
        let (mut nets, mut labels): (Vec<(usize, NetPlace)>, Vec<Rect>) = Default::default();
        for turn in turns {
            let link = &part.links[turn];
            let side = self.frame.side(gap, link);
            let count = match side {
                Side::Left => &mut left,
                Side::Right => &mut right,
            };
            let row = y + 1 + LINK * *count;
            *count += 1;
            let place = self.link(link, side, (x, w), row);
            labels.extend([place.above, place.below]);
            let known = nets.iter().position(|(net, _)| *net == link.net);
            let before = known
                .map(|at| nets.swap_remove(at).1)
                .or(self.nets[link.net]);
            if before.is_none() {
                labels.push(self.frame.label(self.plan, link.net, row - 2));
            }
            nets.push((link.net, self.net(link.net, row, before)));
            links[turn] = place;
        }
        let text = 3 + i32::try_from(part.notes.len()).unwrap_or(0);
        let h = text.max(LINK * left.max(right));
        let rect = Rect { x, y, w, h };
        Draft {
            host: HostPlace { rect, links },
            nets,
            labels,
        }
    }

    fn link(&self, link: &LinkPart, side: Side, (x, w): (i32, i32), row: i32) -> LinkPlace {
        let net = self.frame.line(link.net);
        let (from, to) = match side {
            Side::Left => (net + 1, x),
            Side::Right => (x + w, net),
        };
        // Beside the box, where there is room for it in any case.
        let label = |text: &str, y| {
            let wide = cells(text);
            let at = match side {
                Side::Left => x - 1 - link_width(link),
                Side::Right => x + w + 1 + link_width(link) - wide,
            };
            Rect {
                x: at,
                y,
                w: wide,
                h: 1,
            }
        };
        LinkPlace {
            side,
            line: Rect {
                x: from,
                y: row,
                w: to - from,
                h: 1,
            },
            above: label(&link.short, row - 1),
            below: label(&link.label(), row + 1),
            hops: Vec::new(),
        }
    }

    /// A net with one more link, in this row.
    fn net(&self, net: usize, row: i32, before: Option<NetPlace>) -> NetPlace {
        match before {
            Some(place) => NetPlace {
                top: place.top.min(row - 1),
                bottom: place.bottom.max(row + 1),
                ..place
            },
            None => NetPlace {
                x: self.frame.line(net),
                top: row - 2,
                bottom: row + 1,
                label: self.frame.label(self.plan, net, row - 2),
            },
        }
    }

    fn fits(&self, draft: &Draft) -> bool {
        let free = |rect: &Rect| !self.solids.iter().any(|it| it.meets(rect));
        let clear = |rect: &Rect| !self.lines.iter().any(|it| it.meets(rect));
        let room = draft.host.rect.grown(0, 1);
        let links = || draft.host.links.iter();
        let own = |line: &Rect| !draft.labels.iter().any(|it| it.meets(line));
        free(&room)
            && clear(&room)
            && draft
                .labels
                .iter()
                .all(|it| it.y >= 0 && free(it) && clear(it))
            && links().all(|it| free(&it.line) && clear(&it.line) && own(&it.line))
            && draft
                .nets
                .iter()
                .all(|(net, place)| self.net_fits(*net, place, draft))
    }

    /// Whether nothing else is in a net's column between its label and its end.
    fn net_fits(&self, net: usize, place: &NetPlace, draft: &Draft) -> bool {
        let line = stripe(place);
        let whole = stripe_with_label(place).grown(0, 1);
        let column = self.frame.spots[net].0;
        let others = self
            .nets
            .iter()
            .enumerate()
            .filter_map(|(other, it)| Some((other, (*it)?)));
        let drafted = draft.nets.iter().copied();
        let mut beside = others
            .filter(|(other, _)| !draft.nets.iter().any(|(it, _)| it == other))
            .chain(drafted)
            .filter(|(other, _)| *other != net && self.frame.spots[*other].0 == column);
        // The first link that a net was given is its highest: above is its label.
        let below_label = place.top >= place.label.bottom();
        // Not `label`, which is no obstacle for its own net.
        let free = |it: &Rect| *it == place.label || !it.meets(&line);
        below_label
            && beside.all(|(_, other)| !stripe_with_label(&other).meets(&whole))
            && self.solids.iter().chain(&draft.labels).all(free)
    }

    /// Nets without a link, each below what its column has.
    fn place_lonely_nets(&mut self) -> Option<()> {
        for net in 0..self.nets.len() {
            if self.nets[net].is_some() {
                continue;
            }
            let first = label_height(self.plan, net) + 2;
            let place = (first..=first + 2 * self.bottom() + 12).find_map(|row| {
                let place = self.net(net, row, None);
                let draft = Draft {
                    host: HostPlace::default(),
                    nets: vec![(net, place)],
                    labels: vec![place.label],
                };
                self.fits(&draft).then_some(place)
            })?;
            self.solids.push(place.label);
            self.nets[net] = Some(place);
        }
        Some(())
    }

    fn finish(mut self) -> Option<Layout> {
        let nets: Vec<NetPlace> = self.nets.iter().copied().collect::<Option<_>>()?;
        for link in self.hosts.iter_mut().flat_map(|host| &mut host.links) {
            let crossed = nets.iter().filter(|net| stripe(net).meets(&link.line));
            link.hops = crossed.map(|net| net.x).collect();
            link.hops.sort_unstable();
        }
        let drops = self.drops()?;
        let mut layout = Layout {
            width: 0,
            height: self.bottom(),
            nets,
            hosts: self.hosts,
            name: name(self.plan, &drops),
            drops,
        };
        if !layout.drops.is_empty() {
            layout.height = layout.name.bottom();
        }
        crop(&mut layout);
        Some(layout)
    }

    /// The ends of the tunnel, where nothing is in their way.
    fn drops(&self) -> Option<Vec<Drop>> {
        let Some(tunnel) = &self.plan.tunnel else {
            return Some(Vec::new());
        };
        let ends = [&tunnel.client, &tunnel.server];
        let wide = |end: &TunnelEnd| end.lines.iter().map(|it| cells(it)).max().unwrap_or(0);
        let rows = |end: &TunnelEnd| i32::try_from(end.lines.len()).unwrap_or(0);
        let x = |end: &TunnelEnd| self.hosts[end.host].rect.x + 3;
        let begin = self.bottom();
        // Each end's label is to the right of its line. It is above the other's where the lines are close.
        let [client, server] = ends;
        let close = |left: &TunnelEnd, right: &TunnelEnd| {
            x(left) <= x(right) && x(left) + 2 + wide(left) >= x(right)
        };
        let shift = match (close(client, server), close(server, client)) {
            (true, _) => [rows(server), 0],
            (_, true) => [0, rows(client)],
            _ => [0, 0],
        };
        let lane = begin + (rows(client) + shift[0]).max(rows(server) + shift[1]);
        let drops = ends.iter().zip(shift).map(|(end, shift)| {
            let top = self.hosts[end.host].rect.bottom();
            let line = Rect {
                x: x(end),
                y: top,
                w: 1,
                h: lane - top,
            };
            let label = Rect {
                x: x(end) + 2,
                y: begin + shift,
                w: wide(end),
                h: rows(end),
            };
            let free = !self.solids.iter().any(|it| it.meets(&line));
            free.then_some(Drop { line, label })
        });
        drops.collect()
    }
}

/// Cells between a tunnel's name and its ends, both sides together.
const NAME: i32 = 10;

/// Where a tunnel's name is.
fn name(plan: &Plan, drops: &[Drop]) -> Rect {
    let (Some(tunnel), [client, server]) = (&plan.tunnel, drops) else {
        return Rect::default();
    };
    let (from, to) = (
        client.line.x.min(server.line.x),
        client.line.x.max(server.line.x),
    );
    let (w, lane) = (cells(&tunnel.name), client.line.bottom());
    let fits = to - from >= w + NAME;
    Rect {
        x: if fits {
            from + (to - from + 1 - w) / 2
        } else {
            from + 2
        },
        y: lane + i32::from(!fits),
        w,
        h: 1,
    }
}

/// The cells of a net's line.
pub(super) fn stripe(net: &NetPlace) -> Rect {
    Rect {
        x: net.x,
        y: net.top,
        w: 1,
        h: net.bottom - net.top + 1,
    }
}

fn stripe_with_label(net: &NetPlace) -> Rect {
    let line = stripe(net);
    Rect {
        y: net.label.y,
        h: line.bottom() - net.label.y,
        ..line
    }
}

/// Takes the empty columns and rows at the edges away.
fn crop(layout: &mut Layout) {
    let (mut left, mut right, mut top) = (i32::MAX, 0, i32::MAX);
    let mut see = |rect: &Rect| {
        if rect.w > 0 && rect.h > 0 {
            left = left.min(rect.x);
            right = right.max(rect.right());
            top = top.min(rect.y);
        }
    };
    each(layout, &mut |rect| see(rect));
    if left == i32::MAX {
        return;
    }
    each(layout, &mut |rect| {
        rect.x -= left;
        rect.y -= top;
    });
    for net in &mut layout.nets {
        net.x -= left;
        net.top -= top;
        net.bottom -= top;
    }
    let links = layout.hosts.iter_mut().flat_map(|host| &mut host.links);
    for hop in links.flat_map(|link| &mut link.hops) {
        *hop -= left;
    }
    layout.width = right - left;
    layout.height -= top;
}

/// Every rectangle of a layout.
fn each(layout: &mut Layout, see: &mut impl FnMut(&mut Rect)) {
    for net in &mut layout.nets {
        see(&mut net.label);
    }
    for host in &mut layout.hosts {
        see(&mut host.rect);
        for link in &mut host.links {
            see(&mut link.line);
            see(&mut link.above);
            see(&mut link.below);
        }
    }
    for drop in &mut layout.drops {
        see(&mut drop.line);
        see(&mut drop.label);
    }
    see(&mut layout.name);
}
