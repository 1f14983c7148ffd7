//! Acts on what serves names and addresses.

use std::net::Ipv4Addr;
use std::time::Duration;

use fps_dns::zone::{Manner, Zone};

use crate::scenario::{
    AdvertisementChange, DhcpCall, DhcpOrder, DhcpRange, DhcpRoute, DhcpServerChange, DhcpTerms,
    DnsChange, DomainName, Renewal,
};
use crate::tell::words::{list, several, time};

/// The names that are in a zone.
pub(in crate::tell) fn zone_name(zone: &Zone) -> String {
    match zone.apex().to_string().as_str() {
        "." => "all names that there are".to_owned(),
        apex => apex.trim_end_matches('.').to_owned(),
    }
}

/// How a server behaves for a part of the names.
pub(in crate::tell) fn share_of_names(name: &DomainName, manner: Manner) -> String {
    let does = match manner {
        Manner::Delayed(by) => format!("are answered {} later", time(by)),
        Manner::Refuses => "are refused".to_owned(),
        Manner::Fails => "fail".to_owned(),
        Manner::Silent => "are not answered".to_owned(),
        Manner::Truncates => "are answered in full by TCP only".to_owned(),
    };
    match name.as_str() {
        "." => format!("There all names {does}."),
        name => format!(
            "There {} and names below it {does}.",
            name.trim_end_matches('.')
        ),
    }
}

pub(super) fn dns(change: &DnsChange) -> String {
    let DnsChange { on, zones, manners } = change;
    let mut said = Vec::new();
    if !zones.is_empty() {
        let names = list(zones.iter().map(zone_name));
        said.push(format!(
            "The name server of {on} has other records for {names}."
        ));
    }
    match manners.as_deref() {
        None => {}
        Some([]) => said.push(format!("The name server of {on} answers as usual.")),
        Some(manners) => {
            said.push(format!("The name server of {on} behaves otherwise."));
            said.extend(manners.iter().map(|(name, it)| share_of_names(name, *it)));
        }
    }
    said.join(" ")
}

pub(super) fn dhcp(call: &DhcpCall) -> String {
    let DhcpCall {
        on,
        link,
        order,
        renewal,
    } = call;
    let does = match order {
        DhcpOrder::Discover => "asks for a lease anew",
        DhcpOrder::Renew => "renews its lease",
        DhcpOrder::Rebind => "asks any server to prolong its lease",
        DhcpOrder::Release => "gives its lease back",
    };
    let then = match renewal {
        None => "",
        Some(Renewal::Keeps) => ", and keeps its address as it is",
        Some(Renewal::Replaces) => ", and deletes its address before it adds it again",
    };
    format!("On {on} the DHCP client of {link} {does}{then}.")
}

/// What a DHCP server gives, or what of it changes. An empty list takes away what it gave.
pub(in crate::tell) struct DhcpOffer<'a> {
    range: Option<DhcpRange>,
    lease: Option<Duration>,
    routers: Option<&'a [Ipv4Addr]>,
    name_servers: Option<&'a [Ipv4Addr]>,
    routes: Option<&'a [DhcpRoute]>,
    mtu: Option<u16>,
    domain: Option<&'a str>,
}

impl<'a> DhcpOffer<'a> {
    pub(in crate::tell) fn of(terms: &'a DhcpTerms) -> Self {
        fn some<T>(all: &[T]) -> Option<&[T]> {
            (!all.is_empty()).then_some(all)
        }
        let DhcpTerms {
            range,
            lease,
            routers,
            name_servers,
            routes,
            mtu,
            domain,
            answers: _,
        } = terms;
        Self {
            range: Some(*range),
            lease: Some(*lease),
            routers: some(routers),
            name_servers: some(name_servers),
            routes: some(routes),
            mtu: *mtu,
            domain: domain.as_deref(),
        }
    }
}

pub(in crate::tell) fn gives(offer: &DhcpOffer<'_>) -> Vec<String> {
    let all = |noun: &str, all: &[Ipv4Addr]| match all.is_empty() {
        true => format!("no {noun}"),
        false => several(noun, all),
    };
    let route = |route: &DhcpRoute| match route.via {
        Some(via) => format!("{} by {via}", route.to),
        None => route.to.to_string(),
    };
    let mut gives = Vec::new();
    let range = offer.range;
    gives.extend(range.map(|it| format!("addresses from {} to {}", it.first, it.last)));
    gives.extend(offer.lease.map(|it| format!("leases for {}", time(it))));
    gives.extend(offer.routers.map(|it| all("gateway", it)));
    gives.extend(offer.name_servers.map(|it| all("name server", it)));
    gives.extend(offer.routes.map(|it| match it.is_empty() {
        true => "no classless routes".to_owned(),
        false => several("route", it.iter().map(route)),
    }));
    gives.extend(offer.mtu.map(|it| format!("an MTU of {it}")));
    gives.extend(offer.domain.map(|it| format!("the domain {it}")));
    gives
}

pub(super) fn dhcp_server(change: &DhcpServerChange) -> String {
    let DhcpServerChange {
        on,
        link,
        range,
        lease,
        routers,
        name_servers,
        routes,
        mtu,
        domain,
        answers,
    } = change;
    let gives = gives(&DhcpOffer {
        range: *range,
        lease: *lease,
        routers: routers.as_deref(),
        name_servers: name_servers.as_deref(),
        routes: routes.as_deref(),
        mtu: *mtu,
        domain: domain.as_deref(),
    });
    let mut said = Vec::new();
    said.extend(answers.map(|answers| match answers {
        true => "answers from now on".to_owned(),
        false => "falls silent".to_owned(),
    }));
    if !gives.is_empty() {
        said.push(format!("gives {} from now on", list(gives)));
    }
    format!("The DHCP server of {on} on {link} {}.", list(said))
}

pub(super) fn advertise(change: &AdvertisementChange) -> String {
    let AdvertisementChange {
        on,
        link,
        lifetime,
        prefixes,
        valid,
        preferred,
        routes,
        name_servers,
        mtu,
        every,
        answers,
    } = change;
    let mut said = Vec::new();
    said.extend(answers.map(|answers| match answers {
        true => "that it is there again".to_owned(),
        false => "nothing more".to_owned(),
    }));
    said.extend(lifetime.map(|lifetime| match lifetime {
        None => "that it is no default router".to_owned(),
        Some(it) => format!("that it is a default router for {}", time(it)),
    }));
    said.extend(prefixes.as_ref().map(|it| match it.is_empty() {
        true => "no prefix".to_owned(),
        false => format!("{} as prefix", list(it)),
    }));
    said.extend(valid.map(|it| format!("addresses valid for {}", time(it))));
    said.extend(preferred.map(|it| format!("addresses preferred for {}", time(it))));
    said.extend(routes.as_ref().map(|it| several("route", it)));
    said.extend(name_servers.as_ref().map(|it| several("name server", it)));
    said.extend(mtu.map(|it| format!("an MTU of {it}")));
    said.extend(every.map(|it| format!("all of it every {}", time(it))));
    format!("On {link} {on} advertises {}.", list(said))
}
