//! The kernel's own impairment of a link: tc-netem(8).

use netlink_packet_core::{DefaultNla, NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::tc::{TcAttribute, TcHandle, TcMessage};

use crate::{IfIndex, Netlink, Result};

/// `TCA_OPTIONS` in linux/rtnetlink.h.
const OPTIONS: u16 = 2;

impl Netlink {
    /// `tc qdisc add dev LINK root netem`, which delays and loses nothing. ENOENT where the kernel has
    /// no netem.
    pub async fn add_netem(&self, link: IfIndex) -> Result<()> {
        let mut message = TcMessage::default();
        message.header.index = i32::try_from(link.get()).unwrap_or(i32::MAX);
        message.header.parent = TcHandle::ROOT;
        // `struct tc_netem_qopt` in linux/pkt_sched.h: latency, limit, loss, gap, duplicate, jitter.
        let options: Vec<u8> = [0_u32, 1000, 0, 0, 0, 0]
            .iter()
            .flat_map(|field| field.to_ne_bytes())
            .collect();
        message.attributes.extend([
            TcAttribute::Kind("netem".to_owned()),
            TcAttribute::Other(DefaultNla::new(OPTIONS, options)),
        ]);
        self.change(
            || format!("tc qdisc add dev (index {link}) root netem"),
            RouteNetlinkMessage::NewQueueDiscipline(message),
            NLM_F_CREATE | NLM_F_EXCL,
        )
        .await
    }
}
