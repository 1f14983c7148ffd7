//! With a question of our own, as a stub resolver asks (RFC 1035; RFC 7766).

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream as StdTcpStream, UdpSocket as StdUdpSocket};

use fps_dns::zone::{Name, RecordType};
use hickory_proto::op::{Message, Query, ResponseCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, UdpSocket};

use super::command::output;
use super::{Answered, AskError};
use crate::sandbox::{HostId, Sandbox, SocketKind};
use crate::scenario::{Resolves, Way};

const PORT: u16 = 53;

pub(super) async fn ask(
    sandbox: &Sandbox,
    host: HostId,
    question: &Resolves,
    by: Way,
) -> Result<Answered, AskError> {
    let (_, file) = output(sandbox, host, &["cat", "/etc/resolv.conf"]).await?;
    let Some(server) = first_server(&file) else {
        return Ok(Answered::Unanswered(
            "/etc/resolv.conf names no server".into(),
        ));
    };
    let message = message(question.name.name(), question.kind);
    let bytes = message.to_vec().map_err(io::Error::other)?;
    let to = SocketAddr::new(server, PORT);
    let answer = match by {
        Way::Tcp => by_tcp(sandbox, host, to, &bytes).await?,
        _ => by_udp(sandbox, host, to, &bytes).await?,
    };
    Ok(match answer {
        Ok(answer) => read(&answer, &message, question),
        Err(error) => Answered::Unanswered(format!("{server}: {error}")),
    })
}

/// Asks a server with a datagram, whatever it answers.
pub(crate) async fn question(
    sandbox: &Sandbox,
    host: HostId,
    server: IpAddr,
    name: &Name,
    kind: RecordType,
) -> Result<(), AskError> {
    let bytes = message(name, kind).to_vec().map_err(io::Error::other)?;
    let to = SocketAddr::new(server, PORT);
    by_udp(sandbox, host, to, &bytes).await.map(drop)
}

fn message(name: &Name, kind: RecordType) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name.clone(), kind));
    message
}

/// What the network says of a question.
type Heard = Result<Vec<u8>, io::Error>;

async fn by_udp(
    sandbox: &Sandbox,
    host: HostId,
    to: SocketAddr,
    question: &[u8],
) -> Result<Heard, AskError> {
    let kind = SocketKind::udp(to.ip());
    let socket = StdUdpSocket::from(sandbox.socket(host, kind)?);
    socket.set_nonblocking(true)?;
    let socket = UdpSocket::from_std(socket)?;
    let heard = async {
        socket.connect(to).await?;
        socket.send(question).await?;
        let mut answer = vec![0; 65_535];
        let length = socket.recv(&mut answer).await?;
        answer.truncate(length);
        Ok(answer)
    };
    Ok(heard.await)
}

async fn by_tcp(
    sandbox: &Sandbox,
    host: HostId,
    to: SocketAddr,
    question: &[u8],
) -> Result<Heard, AskError> {
    let kind = SocketKind::tcp(to.ip());
    let socket = StdTcpStream::from(sandbox.socket(host, kind)?);
    socket.set_nonblocking(true)?;
    let socket = TcpSocket::from_std_stream(socket);
    let heard = async {
        let mut stream = socket.connect(to).await?;
        let length = u16::try_from(question.len()).map_err(io::Error::other)?;
        let framed = [&length.to_be_bytes()[..], question].concat();
        stream.write_all(&framed).await?;
        let mut answer = vec![0; stream.read_u16().await?.into()];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    };
    Ok(heard.await)
}

/// `nameserver ADDRESS` (resolv.conf(5)).
fn first_server(file: &str) -> Option<IpAddr> {
    let mut servers = file.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()? == "nameserver").then(|| words.next())?
    });
    servers.find_map(|word| word.parse().ok())
}

fn read(bytes: &[u8], question: &Message, wanted: &Resolves) -> Answered {
    let answer = match Message::from_vec(bytes) {
        Ok(answer) if answer.metadata.id == question.metadata.id => answer,
        Ok(_) => return Answered::Unanswered("an answer to another question".into()),
        Err(error) => return Answered::Unanswered(format!("an answer that is none: {error}")),
    };
    if answer.metadata.truncation {
        return Answered::Unanswered("truncated".into());
    }
    match answer.metadata.response_code {
        ResponseCode::NoError => {}
        ResponseCode::NXDomain => return Answered::NoName,
        ResponseCode::Refused => return Answered::Refused,
        code => return Answered::Failure(code.to_string()),
    }
    let records = answer.answers.iter();
    let records = records.filter(|record| record.record_type() == wanted.kind);
    let data: BTreeSet<_> = records.map(|record| record.data.to_string()).collect();
    match data.is_empty() {
        true => Answered::NoData,
        false => Answered::Data(data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_server() {
        let file = "# nameserver 192.0.2.9\nsearch lan\nnameserver fd00::1\nnameserver 192.0.2.1\n";
        assert_eq!(first_server(file), Some("fd00::1".parse().unwrap()));
        assert_eq!(first_server("# this lab has no DNS server\n"), None);
    }
}
