//! From a host name to a connection: resolving, vetting, dialling.
//!
//! Invariant: only addresses that were vetted in the same breath are dialled, and the name is not looked up again for
//! that connection; the address that answered is held against the one that was meant. So neither a mixed answer nor a
//! second one (rebinding) nor an alias leads to a private network.

#![expect(clippy::disallowed_types, reason = "the one place that opens connections to the public network")]

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::address::vet_answers;
use super::config::FetchError;
use super::guard::is_reserved;
use super::reason::FailReason;
use super::tls::Tls;

/// A future without a name.
pub(crate) type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Looks names up. What it answers is not trusted.
pub(crate) trait Resolve: Send + Sync {
    /// The addresses of a host name.
    fn resolve(&self, host: String) -> Later<io::Result<Vec<IpAddr>>>;
}

/// Opens connections. Also tells which address answered.
pub(crate) trait Dial: Send + Sync {
    /// Connects to a vetted address.
    fn dial(&self, to: SocketAddr) -> Later<io::Result<(TcpStream, SocketAddr)>>;
}

/// The public network: who resolves, who dials, and whose certificates count. Outside of tests there is one way to
/// make it, so nothing but the public network can be reached through it.
#[derive(Clone)]
pub struct PublicNet {
    resolver: Arc<dyn Resolve>,
    dialer: Arc<dyn Dial>,
    tls: Tls,
}

impl std::fmt::Debug for PublicNet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PublicNet")
    }
}

impl PublicNet {
    /// The system's resolver, real connections, and the system's certificate authorities.
    ///
    /// # Errors
    /// The system has no certificate authorities.
    pub fn system() -> Result<Self, FetchError> {
        let resolver = Arc::new(SystemResolver { at_once: Arc::new(Semaphore::new(64)) });
        Ok(Self { resolver, dialer: Arc::new(Direct), tls: Tls::system()? })
    }

    /// A network of the tests, which still vets every address.
    #[cfg(test)]
    pub(super) fn for_test(resolver: Arc<dyn Resolve>, dialer: Arc<dyn Dial>, tls: Tls) -> Self {
        Self { resolver, dialer, tls }
    }

    pub(super) fn tls(&self) -> &Tls {
        &self.tls
    }

    /// Looks `host` up; one address that is not public rejects the name.
    pub(super) async fn vetted(&self, host: &str) -> Result<Vec<IpAddr>, FailReason> {
        let answers = self.resolver.resolve(host.to_owned()).await.map_err(|_| FailReason::Resolve)?;
        match vet_answers(&answers) {
            Ok(_) => Ok(answers),
            Err(Some(_)) => Err(FailReason::AddressDenied),
            Err(None) => Err(FailReason::Resolve),
        }
    }

    /// Connects to one vetted address.
    pub(super) async fn dial(&self, to: SocketAddr) -> Result<TcpStream, FailReason> {
        let (stream, peer) = self.dialer.dial(to).await.map_err(|_| FailReason::Connect)?;
        if peer == to { Ok(stream) } else { Err(FailReason::RemoteAddress) }
    }
}

/// The system's resolver, asked for absolute names, so that no search list applies.
struct SystemResolver {
    at_once: Arc<Semaphore>,
}

impl Resolve for SystemResolver {
    fn resolve(&self, host: String) -> Later<io::Result<Vec<IpAddr>>> {
        let at_once = Arc::clone(&self.at_once);
        Box::pin(async move {
            if is_reserved(&host) {
                return Err(io::ErrorKind::NotFound.into());
            }
            let _leave = at_once.acquire().await.map_err(io::Error::other)?;
            let found = tokio::net::lookup_host((format!("{host}."), 443)).await?;
            Ok(found.map(|addr| addr.ip()).collect())
        })
    }
}

/// Real connections.
struct Direct;

impl Dial for Direct {
    fn dial(&self, to: SocketAddr) -> Later<io::Result<(TcpStream, SocketAddr)>> {
        Box::pin(async move { connect(to).await })
    }
}

/// Connects, and asks the socket who is at the other end.
pub(super) async fn connect(to: SocketAddr) -> io::Result<(TcpStream, SocketAddr)> {
    let stream = TcpStream::connect(to).await?;
    let peer = stream.peer_addr()?;
    let _small_packets_at_once = stream.set_nodelay(true);
    Ok((stream, peer))
}
