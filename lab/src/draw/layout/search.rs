//! The arrangement with the fewest crossings and the least room.

use super::Layout;
use super::frame::Arrangement;
use super::pack::pack;
use crate::draw::Plan;

/// With more nets than this, each has a column of its own, in the file's order.
const TRIED: usize = 5;

/// With more hosts than this, none is moved to see whether it helps.
const MOVED: usize = 16;

/// How many arrangements are tried where none of the usual ones can be drawn.
const MOST: usize = 1000;

/// How many of the arrangements of nets are looked at closer.
const CLOSER: usize = 4;

/// The widest picture that a terminal shows whole.
const WIDE: i32 = 118;

/// An arrangement that can be drawn, and what it costs.
struct Tried {
    cost: i32,
    arrangement: Arrangement,
    layout: Layout,
}

/// The best layout of those that are tried. The same plan always has the same.
pub(super) fn best(plan: &Plan) -> Layout {
    let nets: Vec<usize> = (0..plan.nets.len()).collect();
    let mut tried: Vec<Tried> = columns(&nets)
        .into_iter()
        .filter_map(|columns| attempt(plan, arrange(plan, columns)))
        .collect();
    if tried.is_empty() {
        tried.extend(any(plan, &nets));
    }
    // The sort is stable: of two that cost the same the one nearer to the file's order wins.
    tried.sort_by_key(|it| it.cost);
    tried.truncate(CLOSER);
    let improved = tried.into_iter().map(|it| improve(plan, it));
    let best = improved.min_by_key(|it| it.cost);
    best.map(|it| it.layout).unwrap_or_default()
}

/// Some layout of a plan of which none of the usual ones can be drawn: nets in one row, and hosts in another
/// order, or beside the first or last of their nets.
fn any(plan: &Plan, nets: &[usize]) -> Option<Tried> {
    let columns: Vec<Vec<usize>> = nets.iter().map(|net| vec![*net]).collect();
    let usual = arrange(plan, columns);
    let spots = usual.spots(plan.nets.len());
    let sides = [None, Some(false), Some(true)].into_iter();
    let mut arrangements = sides.flat_map(|side| {
        let mut other = usual.clone();
        for (host, gap) in other.gaps.iter_mut().enumerate() {
            let (first, last) = range(plan, &spots, host);
            *gap = side.map_or(*gap, |end| if end { last + 1 } else { first });
        }
        let hosts = other.order.clone();
        (0..hosts.len() * hosts.len()).map(move |number| {
            let mut turned = other.clone();
            turned.order.rotate_left(number % hosts.len());
            turned.order.swap(0, number / hosts.len());
            turned
        })
    });
    arrangements
        .by_ref()
        .take(MOST)
        .find_map(|it| attempt(plan, it))
}

/// The ways to put nets into columns.
fn columns(nets: &[usize]) -> Vec<Vec<Vec<usize>>> {
    if nets.len() > TRIED {
        return vec![nets.iter().map(|net| vec![*net]).collect()];
    }
    let mut all = Vec::new();
    for order in orders(nets) {
        // Each bit says whether a new column begins.
        for cuts in 0..1_u32 << nets.len().saturating_sub(1) {
            let mut columns: Vec<Vec<usize>> = Vec::new();
            for (place, net) in order.iter().enumerate() {
                let stays = place > 0 && cuts & (1 << (place - 1)) != 0;
                match columns.last_mut().filter(|_| stays) {
                    Some(column) => column.push(*net),
                    None => columns.push(vec![*net]),
                }
            }
            all.push(columns);
        }
    }
    all
}

/// The orders of some things, the given one first.
fn orders(things: &[usize]) -> Vec<Vec<usize>> {
    if things.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in 0..things.len() {
        let mut rest = things.to_vec();
        let thing = rest.remove(first);
        for mut order in orders(&rest) {
            order.insert(0, thing);
            all.push(order);
        }
    }
    all
}

/// Puts hosts into gaps: those between nets there, the client to the left, the others where there are fewer.
fn arrange(plan: &Plan, columns: Vec<Vec<usize>>) -> Arrangement {
    let mut arrangement = Arrangement {
        columns,
        gaps: vec![0; plan.hosts.len()],
        order: (0..plan.hosts.len()).collect(),
    };
    let spots = arrangement.spots(plan.nets.len());
    let end = |host: usize| match &plan.tunnel {
        Some(tunnel) if tunnel.client.host == host => Some(true),
        Some(tunnel) if tunnel.server.host == host => Some(false),
        _ => None,
    };
    let mut rows = vec![0; arrangement.columns.len() + 1];
    for (number, host) in plan.hosts.iter().enumerate() {
        let (first, last) = range(plan, &spots, number);
        let gap = match end(number) {
            _ if last > first => first + 1 + (last - first - 1) / 2,
            Some(true) => first,
            Some(false) => last + 1,
            None if rows[last + 1] < rows[first] => last + 1,
            None => first,
        };
        arrangement.gaps[number] = gap;
        rows[gap] += 1 + host.links.len().max(host.notes.len());
    }
    // The ends of a tunnel are side by side, since nothing may come below either.
    if let Some(tunnel) = &plan.tunnel {
        let (client, server) = (tunnel.client.host, tunnel.server.host);
        if arrangement.gaps[client] == arrangement.gaps[server] {
            let (first, _) = range(plan, &spots, client);
            let (_, last) = range(plan, &spots, server);
            let gaps = &mut arrangement.gaps;
            match first < gaps[client] {
                true => gaps[client] = first,
                false => gaps[server] = last + 1,
            }
        }
    }
    let stack = |host: &usize| {
        let links = plan.hosts[*host].links.iter();
        links.map(|link| spots[link.net].1).min().unwrap_or(0)
    };
    arrangement
        .order
        .sort_by_key(|host| (end(*host).is_some(), stack(host)));
    arrangement
}

/// The first and last column of the nets of a host.
fn range(plan: &Plan, spots: &[(usize, usize)], host: usize) -> (usize, usize) {
    let columns = || plan.hosts[host].links.iter().map(|link| spots[link.net].0);
    (columns().min().unwrap_or(0), columns().max().unwrap_or(0))
}

/// Moves hosts, one at a time, as long as it helps.
fn improve(plan: &Plan, mut best: Tried) -> Tried {
    if plan.hosts.len() > MOVED {
        return best;
    }
    let spots = best.arrangement.spots(plan.nets.len());
    let last = best.arrangement.columns.len();
    loop {
        let mut better: Option<Tried> = None;
        let mut see = |arrangement| {
            let limit = better.as_ref().map_or(best.cost, |it| it.cost);
            if let Some(tried) = attempt(plan, arrangement).filter(|it| it.cost < limit) {
                better = Some(tried);
            }
        };
        for host in 0..plan.hosts.len() {
            let (from, to) = range(plan, &spots, host);
            for gap in from..=(to + 1).min(last) {
                let mut other = best.arrangement.clone();
                other.gaps[host] = gap;
                see(other);
            }
            for place in host + 1..plan.hosts.len() {
                let mut other = best.arrangement.clone();
                other.order.swap(host, place);
                see(other);
            }
        }
        match better {
            Some(tried) => best = tried,
            None => return best,
        }
    }
}

fn attempt(plan: &Plan, arrangement: Arrangement) -> Option<Tried> {
    if let Some(tunnel) = &plan.tunnel
        && arrangement.gaps[tunnel.client.host] == arrangement.gaps[tunnel.server.host]
    {
        return None;
    }
    let layout = pack(plan, &arrangement)?;
    Some(Tried {
        cost: cost(plan, &arrangement, &layout),
        arrangement,
        layout,
    })
}

/// What a picture costs: crossings most, then room, and what is not where a reader looks for it.
fn cost(plan: &Plan, arrangement: &Arrangement, layout: &Layout) -> i32 {
    let links = || layout.hosts.iter().flat_map(|host| &host.links);
    let hops: usize = links().map(|link| link.hops.len()).sum();
    let cut = |line| layout.drops.iter().filter(|it| it.line.meets(line)).count();
    let cuts: usize = links().map(|link| cut(&link.line)).sum();
    let nets: i32 = layout.nets.iter().map(|net| net.bottom - net.top).sum();
    let lines: i32 = links().map(|link| link.line.w).sum();
    let crossings = i32::try_from(hops + cuts).unwrap_or(i32::MAX / 100);
    let flat: Vec<usize> = arrangement.columns.iter().flatten().copied().collect();
    let pairs = || (0..flat.len()).flat_map(|a| (a + 1..flat.len()).map(move |b| (a, b)));
    let turned = pairs().filter(|(a, b)| flat[*a] > flat[*b]).count();
    let odd = plan.tunnel.as_ref().map_or(0, |tunnel| {
        let [client, server] =
            [&tunnel.client, &tunnel.server].map(|end| arrangement.gaps[end.host]);
        let short = layout.lane().is_some_and(|lane| layout.name.y > lane);
        12 * client + if client > server { 60 } else { 0 } + if short { 30 } else { 0 }
    });
    60 * crossings
        + 4 * layout.height
        + layout.width
        + 4 * (layout.width - WIDE).max(0)
        + nets
        + lines / 4
        + 3 * i32::try_from(turned).unwrap_or(0)
        + i32::try_from(odd).unwrap_or(0)
}
