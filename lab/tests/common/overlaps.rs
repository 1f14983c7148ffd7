//! What overlaps in a picture.

use fps_lab::draw::{Layout, Plan, Rect};

/// A part of a picture, by its name.
type Part = (String, Rect);

/// The pairs of parts that share a cell and must not, and what is outside of the picture.
///
/// Links cross the lines of nets, which is drawn as a bow, and the ends of the tunnel. Nothing else
/// crosses anything.
pub(crate) fn overlaps(plan: &Plan, layout: &Layout) -> Vec<String> {
    let (mut solids, mut links, mut nets): (Vec<Part>, Vec<Part>, Vec<Part>) = Default::default();
    for (part, place) in plan.nets.iter().zip(&layout.nets) {
        let line = Rect {
            x: place.x,
            y: place.top,
            w: 1,
            h: place.bottom - place.top + 1,
        };
        solids.push((format!("label of {}", part.name), place.label));
        nets.push((format!("line of {}", part.name), line));
    }
    for (part, place) in plan.hosts.iter().zip(&layout.hosts) {
        solids.push((format!("box of {}", part.name), place.rect));
        for (link, at) in part.links.iter().zip(&place.links) {
            let name = format!("{}:{}", part.name, link.name);
            solids.push((format!("addresses of {name}"), at.above));
            solids.push((format!("name of {name}"), at.below));
            links.push((format!("line of {name}"), at.line));
        }
    }
    let drops = layout.drops.iter();
    solids.extend(
        drops
            .clone()
            .map(|it| ("label of a tunnel's end".to_owned(), it.label)),
    );
    solids.push(("name of the tunnel".to_owned(), layout.name));
    let drops: Vec<Part> = drops
        .map(|it| ("a tunnel's end".to_owned(), it.line))
        .collect();

    let mut found = pairs(&solids, &solids);
    for lines in [&links, &nets, &drops] {
        found.extend(pairs(&solids, lines));
    }
    found.extend(pairs(&links, &links));
    found.extend(pairs(&nets, &nets));
    found.extend(pairs(&nets, &drops));
    let all = [solids, links, nets, drops].concat();
    let inside = |it: &Rect| {
        it.x >= 0 && it.y >= 0 && it.right() <= layout.width && it.bottom() <= layout.height
    };
    let outside = all.iter().filter(|(_, rect)| rect.w > 0 && !inside(rect));
    found.extend(outside.map(|(name, _)| format!("{name} is outside")));
    found
}

fn pairs(some: &[Part], others: &[Part]) -> Vec<String> {
    let same = std::ptr::eq(some, others);
    let each = some.iter().enumerate().flat_map(|(number, one)| {
        let others = others.iter().take(if same { number } else { others.len() });
        let met = others.filter(|other| other.1.meets(&one.1));
        met.map(|other| format!("{} and {}", one.0, other.0))
    });
    each.collect()
}
