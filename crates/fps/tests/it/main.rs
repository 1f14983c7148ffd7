//! The programs from outside: as processes, by their command lines, files, sockets and logs.

mod behaviour;
mod cli;
mod crowd;
mod extension;
mod fwmark;
mod host;
mod leases;
mod limits;
mod loopback;
mod order;
mod peers_cases;
mod privacy;
mod programs;
mod second_uid;
mod site;
mod status;
mod strangers;
mod tun;
mod unit;
