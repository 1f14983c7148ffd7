//! What is wrong with files of `scenarios/invalid` in a way that no schema sees.

/// Reasons, and the files that each is of.
pub(crate) const UNSEEN: &[(&str, &str)] = &[
    (
        "a name is not that of anything in the file",
        "host-unknown link-net-unknown link-tun-cable nat-link-unknown program-unknown reach-via-unknown \
         sabotage-may-fail-unknown sabotage-must-fail-dropped sabotage-must-fail-unknown sabotage-step-dropped \
         sabotage-step-unknown sabotage-swap tunnel-absent tunnel-client-unknown no-carrier-loop-without-tunnel \
         advertise-nobody tunnel-foreign-roles tunnel-endpoint-link tunnel-origin-link",
    ),
    (
        "two things that may not be the same are, or two that must be are not",
        "address-duplicate expectation-name-twice gateway-own gateway-twice reach-itself tunnel-same-host",
    ),
    (
        "addresses are calculated with",
        "address-family address-network-broadcast address-outside gateway-family gateway-outside net-host-bits \
         nets-overlap reach-no-address tunnel-endpoint-nobody tunnel-endpoint roam",
    ),
    (
        "what is meant depends on how many links or addresses a host has",
        "reach-literal-ambiguous reach-several-links tunnel-endpoint-ambiguous",
    ),
    (
        "it depends on what the step that is changed does, and on what comes of the change",
        "sabotage-alter-nothing-done sabotage-alter-verb sabotage-alter-which-act sabotage-changes-nothing \
         sabotage-drops-baseline sabotage-repeats-no-mistake",
    ),
    ("the mistake is in another file", "footprint-file"),
];
