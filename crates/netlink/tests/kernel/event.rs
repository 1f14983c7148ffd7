//! What the kernel tells unasked.

use fps_netlink::{Address, Event, Family, Group, Route, Rule, RuleAction, RulePriority};
use fps_netns::testing::with_namespaces;

use crate::host::{DEADLINE, Host, TABLE, name};

#[test]
fn tells_of_a_link_made_after_the_subscription() {
    with_namespaces(
        "event::tells_of_a_link_made_after_the_subscription",
        async || {
            let host = Host::new().await;
            let mut events = host.subscribe(&[Group::Link]);
            host.netlink.create_bridge(&name("late")).await.unwrap();
            let late = host.netlink.link(&name("late")).await.unwrap().unwrap();
            host.netlink.delete_link(late.index).await.unwrap();
            let mut told = false;
            let listen = async {
                loop {
                    match events.next().await.unwrap() {
                        Event::Link(link) if link.name == late.name => told = true,
                        Event::LinkGone(link) if link.name == late.name => break,
                        _ => {}
                    }
                }
            };
            let gone = tokio::time::timeout(DEADLINE, listen).await;
            assert!(gone.is_ok() && told, "told of its birth: {told}");
        },
    );
}

#[test]
fn tells_what_came_and_went() {
    with_namespaces("event::tells_what_came_and_went", async || {
        let host = Host::new().await;
        let mut events = host.subscribe(&Group::ALL[1..]);
        let netlink = &host.netlink;
        let address = Address::new(host.br0, "192.0.2.2/24".parse().unwrap());
        let route = Route::new("198.51.100.0/24".parse().unwrap())
            .on_link(host.br0)
            .in_table(TABLE);
        let rule = Rule::new(Family::V6, RulePriority(9), RuleAction::Unreachable);
        netlink.add_address(&address).await.unwrap();
        netlink.add_route(&route).await.unwrap();
        netlink.add_rule(&rule).await.unwrap();
        netlink.delete_rule(&rule).await.unwrap();
        netlink.delete_route(&route).await.unwrap();
        netlink.delete_address(&address).await.unwrap();
        let mut told = Vec::new();
        let last = Event::AddressGone(address.clone());
        while told.last() != Some(&last) {
            let event = tokio::time::timeout(DEADLINE, events.next()).await;
            told.push(event.expect("an event").unwrap());
        }
        // What comes with the address is told as well.
        told.retain(|event| match event {
            Event::Route(route) | Event::RouteGone(route) => route.table == TABLE,
            _ => true,
        });
        let expected = [
            Event::Address(address),
            Event::Route(route.clone()),
            Event::Rule,
            Event::Rule,
            Event::RouteGone(route),
            last,
        ];
        assert_eq!(told, expected);
    });
}

#[test]
fn an_overrun_is_told_and_the_subscription_lives_on() {
    with_namespaces(
        "event::an_overrun_is_told_and_the_subscription_lives_on",
        async || {
            let host = Host::new().await;
            let mut events = host.subscribe(&[Group::RouteV4]);
            let bulk = host.namespace.within(fps_netlink::Bulk::open).unwrap();
            let bulk = bulk.unwrap();
            host.netlink.set_up(host.br0).await.unwrap();
            // More than any receive buffer that the socket may have: 4 MiB hold 11 000 or so.
            let routes = crate::bulk::routes(host.br0, 40_000);
            let add: Vec<_> = routes.iter().map(fps_netlink::RouteRequest::Add).collect();
            assert_eq!(bulk.change(&add).unwrap(), []);
            let mut overrun = false;
            while let Some(event) = events.next_at_hand().unwrap() {
                overrun |= event == Event::Overrun;
            }
            assert!(overrun);
            host.netlink.delete_route(&routes[0]).await.unwrap();
            let event = tokio::time::timeout(DEADLINE, events.next()).await;
            let event = event.expect("an event").unwrap();
            assert_eq!(event, Event::RouteGone(routes[0].clone()));
        },
    );
}

#[test]
fn what_a_socket_of_ours_changes_need_not_be_told() {
    with_namespaces(
        "event::what_a_socket_of_ours_changes_need_not_be_told",
        async || {
            let host = Host::new().await;
            let other = host.namespace.within(fps_netlink::Netlink::open).unwrap();
            let other = other.unwrap();
            let bulk = host.namespace.within(fps_netlink::Bulk::open).unwrap();
            let bulk = bulk.unwrap();
            let ours = [host.netlink.port(), bulk.port()];
            let mut events = host.subscribe(&Group::ALL[1..]).ignoring(&ours);
            let rule = |priority| {
                let action = RuleAction::Unreachable;
                Rule::new(Family::V6, RulePriority(priority), action)
            };
            let address = Address::new(host.br0, "192.0.2.2/24".parse().unwrap());
            host.netlink.add_address(&address).await.unwrap();
            let routes = crate::bulk::routes(host.br0, 3);
            let add: Vec<_> = routes.iter().map(fps_netlink::RouteRequest::Add).collect();
            assert_eq!(bulk.change(&add).unwrap(), []);
            host.netlink.add_rule(&rule(9)).await.unwrap();
            // The control: another's is told.
            other.add_rule(&rule(10)).await.unwrap();
            let mut told = Vec::new();
            while told.last() != Some(&Event::Rule) {
                let event = tokio::time::timeout(DEADLINE, events.next()).await;
                told.push(event.expect("an event").unwrap());
            }
            // The connected route is the kernel's own doing.
            let ours = |event: &&Event| match event {
                Event::Route(route) => route.table == TABLE,
                Event::Address(_) => true,
                _ => false,
            };
            assert_eq!(told.iter().find(ours), None, "{told:?}");
            assert_eq!(
                told.iter().filter(|event| **event == Event::Rule).count(),
                1
            );
        },
    );
}
