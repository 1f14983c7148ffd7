//! bpf(2), as far as it is needed.

use std::ffi::{CStr, c_void};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::libc;

use crate::error::{Error, Result};

/// Commands, types and flags of linux/bpf.h.
const MAP_CREATE: i32 = 0;
const PROG_LOAD: i32 = 5;
const RAW_TRACEPOINT_OPEN: i32 = 17;
const MAP_LOOKUP_AND_DELETE_ELEM: i32 = 21;
const MAP_TYPE_QUEUE: u32 = 22;
const PROG_TYPE_RAW_TRACEPOINT: u32 = 17;

/// The kernel gives some helpers to programs of these licenses alone; ours can be had under the MIT license.
const LICENSE: &CStr = c"Dual MIT/GPL";
/// What a queue and a program are called in what bpftool(8) lists.
const NAME: [u8; 16] = *b"fps_lab_drops\0\0\0";

/// The part of `union bpf_attr` for a map.
#[repr(C)]
#[derive(Default)]
struct Map {
    kind: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    flags: u32,
    inner: u32,
    node: u32,
    name: [u8; 16],
}

/// For an element of a map.
#[repr(C)]
struct Element {
    map: u32,
    _fills: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// For a program.
#[repr(C)]
struct Program {
    kind: u32,
    instructions: u32,
    code: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
}

/// For a tracepoint.
#[repr(C)]
struct Tracepoint {
    name: u64,
    program: u32,
    _fills: u32,
}

/// Calls bpf(2); the structure has to be the one of the command.
fn bpf<T>(command: i32, attributes: &mut T) -> Result<RawFd, Errno> {
    let (attributes, size) = (
        std::ptr::from_mut(attributes).cast::<c_void>(),
        size_of::<T>(),
    );
    // SAFETY: the structure lives as long as the call, its size is told, and what it points to lives on in
    // the callers.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command, attributes, size) };
    Errno::result(answer).map(|it| it as RawFd)
}

fn descriptor<T>(command: i32, attributes: &mut T) -> Result<OwnedFd, Errno> {
    let fd = bpf(command, attributes)?;
    // SAFETY: these commands answer with a new descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn address<T: ?Sized>(value: &T) -> u64 {
    std::ptr::from_ref(value).cast::<c_void>() as u64
}

/// Makes a queue.
pub(crate) fn queue(value_size: u32, max_entries: u32) -> Result<OwnedFd> {
    let mut map = Map {
        kind: MAP_TYPE_QUEUE,
        value_size,
        max_entries,
        name: NAME,
        ..Map::default()
    };
    let cause = |cause| Error::Bpf {
        operation: "make a queue for dropped packets",
        cause,
    };
    descriptor(MAP_CREATE, &mut map).map_err(cause)
}

/// Takes the first element of a queue into `value`, which has to have the size of the queue's values; tells
/// whether there was one.
pub(crate) fn take(queue: &OwnedFd, value: &mut [u8]) -> Result<bool> {
    let mut element = Element {
        map: number(queue),
        _fills: 0,
        key: 0,
        value: value.as_mut_ptr() as u64,
        flags: 0,
    };
    match bpf(MAP_LOOKUP_AND_DELETE_ELEM, &mut element) {
        Ok(_) => Ok(true),
        Err(Errno::ENOENT) => Ok(false),
        Err(cause) => Err(Error::Bpf {
            operation: "read of a dropped packet",
            cause,
        }),
    }
}

/// Loads a program for a raw tracepoint.
pub(crate) fn load(code: &[u8]) -> Result<OwnedFd> {
    match load_with(code, &mut []) {
        Ok(program) => Ok(program),
        Err(cause @ (Errno::EPERM | Errno::ENOSYS)) => Err(Error::Bpf {
            operation: "load a program",
            cause,
        }),
        // Once more, to hear what the verifier has against it.
        Err(cause) => {
            let mut log = vec![0; 1 << 20];
            drop(load_with(code, &mut log));
            let end = log.iter().position(|byte| *byte == 0).unwrap_or(log.len());
            let text = String::from_utf8_lossy(&log[..end]);
            let lines: Vec<&str> = text.lines().collect();
            let log = lines[lines.len().saturating_sub(4)..].join("; ");
            Err(Error::Verifier { log, cause })
        }
    }
}

fn load_with(code: &[u8], log: &mut [u8]) -> Result<OwnedFd, Errno> {
    let mut program = Program {
        kind: PROG_TYPE_RAW_TRACEPOINT,
        instructions: (code.len() / 8) as u32,
        code: address(code),
        license: LICENSE.as_ptr() as u64,
        log_level: u32::from(!log.is_empty()),
        log_size: log.len() as u32,
        log: if log.is_empty() {
            0
        } else {
            log.as_mut_ptr() as u64
        },
        kernel_version: 0,
        flags: 0,
        name: NAME,
    };
    descriptor(PROG_LOAD, &mut program)
}

/// Hangs a program at a tracepoint, for as long as the descriptor is open.
pub(crate) fn attach(program: &OwnedFd, tracepoint: &CStr) -> Result<OwnedFd> {
    let mut attributes = Tracepoint {
        name: tracepoint.as_ptr() as u64,
        program: number(program),
        _fills: 0,
    };
    let cause = |cause| Error::Bpf {
        operation: "hear of dropped packets at skb:kfree_skb",
        cause,
    };
    descriptor(RAW_TRACEPOINT_OPEN, &mut attributes).map_err(cause)
}

/// As bpf(2) takes a descriptor in the structures above.
fn number(fd: &OwnedFd) -> u32 {
    fd.as_raw_fd().cast_unsigned()
}
