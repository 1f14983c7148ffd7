//! Routes by their keys.

use rustc_hash::FxHashMap;

use super::RouteKey;

/// The places of routes by their keys; of those with one key in the order in which they come.
/// Nearly every key has one, and there may be 100 000 of them, so none has a list of its own.
pub(crate) struct RouteIndex {
    firsts: FxHashMap<RouteKey, usize>,
    /// For each place the next with its key.
    next: Vec<Option<usize>>,
}

impl RouteIndex {
    /// The places of routes with these keys.
    pub(crate) fn new(keys: impl DoubleEndedIterator<Item = RouteKey> + ExactSizeIterator) -> Self {
        let mut firsts = FxHashMap::with_capacity_and_hasher(keys.len(), Default::default());
        let mut next = vec![None; keys.len()];
        // From the last to the first, so that each finds its next.
        for (at, key) in keys.enumerate().rev() {
            next[at] = firsts.insert(key, at);
        }
        Self { firsts, next }
    }

    /// The first with a key.
    pub(crate) fn first(&self, key: RouteKey) -> Option<usize> {
        self.firsts.get(&key).copied()
    }

    /// All with a key.
    pub(crate) fn places(&self, key: RouteKey) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.first(key), |&at| self.next[at])
    }
}

#[cfg(test)]
mod tests {
    use fps_netlink::Route;

    use super::*;

    #[test]
    fn finds_all_with_one_key_in_their_order() {
        let route = |to: &str, metric| Route {
            metric,
            ..Route::new(to.parse().unwrap())
        };
        let routes = [
            route("10.0.0.0/8", None),
            route("fd00::/64", None),
            route("10.0.0.0/8", Some(5)),
            route("10.0.0.0/8", None),
            // IPv6 turns a metric of 0 into 1024.
            route("fd00::/64", Some(1024)),
        ];
        let index = RouteIndex::new(routes.iter().map(RouteKey::of));
        let places = |route| index.places(RouteKey::of(route)).collect::<Vec<_>>();
        assert_eq!(places(&routes[0]), [0, 3]);
        assert_eq!(places(&routes[1]), [1, 4]);
        assert_eq!(places(&routes[2]), [2]);
        assert_eq!(places(&route("10.9.0.0/16", None)), [0; 0]);
    }
}
