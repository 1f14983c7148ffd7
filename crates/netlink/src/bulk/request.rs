//! One change to a table.

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST};
use netlink_packet_route::RouteNetlinkMessage;

use crate::Route;

/// One change to a table.
#[derive(Clone, Copy, Debug)]
pub enum RouteRequest<'a> {
    /// `ip route add`: refused with EEXIST where prefix and metric are taken.
    Add(&'a Route),
    /// `ip route append`: behind those with its prefix and metric.
    Append(&'a Route),
    /// `ip route replace`: in the place of the first with its prefix and metric, whoever set it.
    Replace(&'a Route),
    /// `ip route del`: refused with ESRCH where there is none.
    Delete(&'a Route),
}

impl<'a> RouteRequest<'a> {
    pub(super) fn route(self) -> &'a Route {
        match self {
            Self::Add(route) | Self::Append(route) | Self::Replace(route) | Self::Delete(route) => {
                route
            }
        }
    }

    pub(super) fn message(self) -> RouteNetlinkMessage {
        match self {
            Self::Add(route) | Self::Append(route) | Self::Replace(route) => {
                RouteNetlinkMessage::NewRoute(route.message())
            }
            Self::Delete(route) => RouteNetlinkMessage::DelRoute(route.deletion()),
        }
    }

    pub(super) fn flags(self) -> u16 {
        NLM_F_REQUEST
            | match self {
                Self::Add(_) => NLM_F_CREATE | NLM_F_EXCL,
                Self::Append(_) => NLM_F_CREATE | NLM_F_APPEND,
                Self::Replace(_) => NLM_F_CREATE | NLM_F_REPLACE,
                Self::Delete(_) => 0,
            }
    }
}
