//! Rules and routes in the words of ip(8), with the names of links.

use fps_netlink::{Family, Route, Rule};

use super::Tables;

/// A route as `ip route` prints it, but for its table.
pub(super) fn route(route: &Route, tables: &Tables) -> String {
    let mut text = String::new();
    if let Some(kind) = route.kind_word() {
        text += &format!("{kind} ");
    }
    match route.to.prefix_len() {
        0 => text += "default",
        _ => text += &route.to.to_string(),
    }
    if let Some(gateway) = route.gateway {
        text += &format!(" via {gateway}");
    }
    if let Some(link) = route.link {
        text += &format!(" dev {}", tables.name(link));
    }
    if let Some(source) = route.source {
        text += &format!(" src {source}");
    }
    if let Some(metric) = route.metric
        && (metric, route.family()) != (1024, Family::V6)
    {
        text += &format!(" metric {metric}");
    }
    text
}

/// A rule as `ip rule` prints it, without its priority.
pub(super) fn rule(rule: &Rule) -> String {
    let text = rule.to_string();
    let priority = format!("pref {} ", rule.priority);
    text.strip_prefix(&priority).unwrap_or(&text).to_owned()
}
