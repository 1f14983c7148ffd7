//! The programs from outside: as processes, by their command lines, files, sockets and logs.

mod cli;
mod fwmark;
mod loopback;
mod namespace;
mod programs;
mod tun;
