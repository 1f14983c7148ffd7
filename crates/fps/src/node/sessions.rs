//! The connections that there were, and how they ended.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::relay::{RelayError, Side};
use crate::session::Ended;
use crate::tunnel::CarrierId;

/// How many of the last are told.
const TOLD: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    accepted: Cell<u64>,
    closed: Cell<u64>,
    last: RefCell<VecDeque<Value>>,
}

impl Sessions {
    /// One more has come.
    pub(super) fn accept(&self) -> CarrierId {
        self.accepted.set(self.accepted.get() + 1);
        CarrierId(self.accepted.get())
    }

    /// One has ended.
    pub(super) fn close(&self, id: CarrierId, authenticated: bool, close: Value) {
        self.closed.set(self.closed.get() + 1);
        let mut last = self.last.borrow_mut();
        if last.len() == TOLD {
            last.pop_front();
        }
        last.push_back(json!({
            "session_id": id.0,
            "authenticated": authenticated,
            "close": close,
        }));
    }

    /// As the status has it.
    pub(super) fn status(&self) -> Value {
        let (accepted, closed) = (self.accepted.get(), self.closed.get());
        let last = self.last.borrow();
        json!({
            "accepted": accepted,
            "active": accepted - closed,
            "closed": closed,
            "last_closed": last.back(),
            "recent_closed": *last,
        })
    }
}

/// Why a connection ended, in the words of the peer's status.
pub(super) fn close(outcome: &Result<(), RelayError>, link_is_far: bool) -> Value {
    let direction = |side: Side| match (side, link_is_far) {
        (Side::Link, true) | (Side::Plain, false) => "server_to_client",
        (Side::Link, false) | (Side::Plain, true) => "client_to_server",
    };
    let from_link = direction(Side::Link);
    let (reason, direction, component, error) = match outcome {
        Ok(()) => ("peer_eof", from_link, "tcp", "eof".to_owned()),
        Err(RelayError::Read(side, error)) => (
            "read_error",
            direction(*side),
            "tcp",
            error.kind().to_string(),
        ),
        Err(RelayError::Write(side, error)) => (
            "write_error",
            direction(*side),
            "tcp",
            error.kind().to_string(),
        ),
        Err(RelayError::Garbage(side)) => {
            let error = "invalid_header".to_owned();
            ("tls_parse_error", direction(*side), "tls_parser", error)
        }
        Err(RelayError::Replaced) => {
            let error = "duplicate_client_replaced".to_owned();
            ("duplicate_client_replaced", from_link, "tun", error)
        }
        Err(RelayError::WithoutWay) => ("link_without_way", from_link, "tcp", "no_way".to_owned()),
        Err(RelayError::Session(Ended::Record(invalid))) => {
            let reason = "classified_record_error";
            (
                reason,
                from_link,
                "classified_record",
                invalid.word().to_owned(),
            )
        }
        Err(RelayError::Session(ended)) => (
            "internal_error",
            from_link,
            "zero_rtt",
            ended.reason().to_owned(),
        ),
    };
    json!({
        "reason": reason,
        "direction": direction,
        "component": component,
        "stage": null,
        "error": error,
    })
}
