//! What rules of nftables are made of: comparisons, and what comes of a packet that passes them all.

use std::net::IpAddr;

use fps_netlink::LinkName;
use ipnet::IpNet;
use netlink_packet_core::DefaultNla;
use netlink_packet_netfilter::nftables::{
    Bitwise, Cmp, DataAttribute, ExpressionAttribute, Expressions, Immediate, ListAttribute, Meta,
    MetaKey, Operator, Payload, Register, RuleAttribute, RuleMessage, Verdict, VerdictAttribute,
};

/// `NFT_PAYLOAD_NETWORK_HEADER` and `NFT_PAYLOAD_TRANSPORT_HEADER` in linux/netfilter/nf_tables.h.
const NETWORK_HEADER: u32 = 1;
const TRANSPORT_HEADER: u32 = 2;
/// `NF_DROP` in linux/netfilter.h.
const NF_DROP: u32 = 0;

/// The expressions of one rule, in their order.
#[derive(Debug, Default)]
pub(crate) struct Expression(Vec<ListAttribute<ExpressionAttribute>>);

/// Which end of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Destination,
}

/// What a sender is told whose packet is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// ICMP or ICMPv6, port unreachable: what nft(8) does where `reject` says nothing else.
    PortUnreachable,
    /// A TCP segment with RST.
    Reset,
}

impl Expression {
    /// `meta KEY VALUE`
    pub(crate) fn meta(&mut self, key: MetaKey, value: Vec<u8>) -> &mut Self {
        self.add(Expressions::Meta(vec![
            Meta::Key(key),
            Meta::DestinationRegister(Register::Reg1),
        ]));
        self.equals(value)
    }

    /// `iifname LINK` or `oifname LINK`
    pub(crate) fn link(&mut self, key: MetaKey, link: &LinkName) -> &mut Self {
        // The kernel compares all of IFNAMSIZ, so the name is padded with zeros.
        let mut name = link.as_str().as_bytes().to_vec();
        name.resize(16, 0);
        self.meta(key, name)
    }

    /// `ip saddr NET` and the like.
    pub(crate) fn address(&mut self, side: Side, net: IpNet) -> &mut Self {
        // Where the addresses are in the header (RFC 791, RFC 8200).
        let offset = match (net, side) {
            (IpNet::V4(_), Side::Source) => 12,
            (IpNet::V4(_), Side::Destination) => 16,
            (IpNet::V6(_), Side::Source) => 8,
            (IpNet::V6(_), Side::Destination) => 24,
        };
        let (value, mask) = (octets(net.network()), octets(net.netmask()));
        self.load(NETWORK_HEADER, offset, value.len());
        let zero = vec![0; value.len()];
        self.add(Expressions::Bitwise(vec![
            Bitwise::SourceRegister(Register::Reg1),
            Bitwise::DestinationRegister(Register::Reg1),
            Bitwise::Length(u32::try_from(value.len()).expect("an address is short")),
            Bitwise::Mask(DataAttribute::Value(mask)),
            Bitwise::Xor(DataAttribute::Value(zero)),
        ]));
        self.equals(value)
    }

    /// `tcp sport PORT` and the like.
    pub(crate) fn port(&mut self, side: Side, port: u16) -> &mut Self {
        let offset = match side {
            Side::Source => 0,
            Side::Destination => 2,
        };
        self.load(TRANSPORT_HEADER, offset, 2);
        self.equals(port.to_be_bytes().to_vec())
    }

    /// `icmp type TYPE`, and `icmp code CODE` where there is one.
    pub(crate) fn icmp(&mut self, kind: u8, code: Option<u8>) -> &mut Self {
        self.load(TRANSPORT_HEADER, 0, 1);
        self.equals(vec![kind]);
        if let Some(code) = code {
            self.load(TRANSPORT_HEADER, 1, 1);
            self.equals(vec![code]);
        }
        self
    }

    /// `drop`
    pub(crate) fn drop(&mut self) -> &mut Self {
        let verdict = vec![VerdictAttribute::Code(Verdict::Other(NF_DROP))];
        self.add(Expressions::Immediate(vec![
            Immediate::DestinationRegister(Register::Verdict),
            Immediate::Data(DataAttribute::Verdict(verdict)),
        ]))
    }

    /// `reject`, or `reject with tcp reset`
    pub(crate) fn refuse(&mut self, refusal: Refusal) -> &mut Self {
        // `enum nft_reject_types` and `enum nft_reject_inet_code`; the attributes are
        // NFTA_REJECT_TYPE and NFTA_REJECT_ICMP_CODE.
        let (kind, code): (u32, Option<u8>) = match refusal {
            Refusal::PortUnreachable => (2, Some(1)),
            Refusal::Reset => (1, None),
        };
        let kind = DefaultNla::new(1, kind.to_be_bytes().to_vec());
        let code = code.map(|code| DefaultNla::new(2, vec![code]));
        self.add(Expressions::Other {
            expression_type: "reject".to_owned(),
            attributes: [kind].into_iter().chain(code).collect(),
        })
    }

    /// `masquerade`
    pub(crate) fn masquerade(&mut self) -> &mut Self {
        self.add(Expressions::Other {
            expression_type: "masq".to_owned(),
            attributes: Vec::new(),
        })
    }

    /// `meta nftrace set 1`
    pub(crate) fn trace(&mut self) -> &mut Self {
        self.add(Expressions::Immediate(vec![
            Immediate::DestinationRegister(Register::Reg1),
            Immediate::Data(DataAttribute::Value(vec![1])),
        ]));
        self.add(Expressions::Meta(vec![
            Meta::Key(MetaKey::NftraceBit),
            Meta::SourceRegister(Register::Reg1),
        ]))
    }

    /// The rule at the end of a chain.
    pub(crate) fn rule(self, table: &str, chain: &str) -> RuleMessage {
        RuleMessage {
            attributes: vec![
                RuleAttribute::Table(table.to_owned()),
                RuleAttribute::Chain(chain.to_owned()),
                RuleAttribute::Expressions(self.0),
            ],
        }
    }

    fn load(&mut self, base: u32, offset: u32, length: usize) {
        self.add(Expressions::Payload(vec![
            Payload::DestinationRegister(Register::Reg1),
            Payload::Base(base),
            Payload::Offset(offset),
            Payload::Len(u32::try_from(length).expect("a header is short")),
        ]));
    }

    fn equals(&mut self, value: Vec<u8>) -> &mut Self {
        self.add(Expressions::Cmp(vec![
            Cmp::SourceRegister(Register::Reg1),
            Cmp::Op(Operator::Equal),
            Cmp::Data(DataAttribute::Value(value)),
        ]))
    }

    fn add(&mut self, expression: Expressions) -> &mut Self {
        self.0.push(expression.into());
        self
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}
