//! TLS: whose certificates count, and what its errors mean.
//!
//! Invariant: certificates are always verified against name, time and authorities; TLS 1.2 and 1.3 only; there is no
//! switch, no retry and no way back to plain HTTP.

use std::io;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, AlertDescription, CertificateError, ClientConfig, Error, RootCertStore};

use super::config::FetchError;
use super::reason::FailReason;

/// A TLS client.
#[derive(Clone)]
pub(crate) struct Tls(TlsConnector);

impl Tls {
    /// Trusts the system's certificate authorities.
    pub(crate) fn system() -> Result<Self, FetchError> {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            return Err(FetchError::NoAuthorities);
        }
        Self::with_roots(roots)
    }

    /// Trusts these authorities only.
    pub(super) fn with_roots(roots: RootCertStore) -> Result<Self, FetchError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| FetchError::NoAuthorities)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Shakes hands as the client of `host`.
    pub(crate) async fn handshake<S>(
        &self,
        host: &str,
        stream: S,
    ) -> Result<tokio_rustls::client::TlsStream<S>, FailReason>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| FailReason::TlsName)?;
        self.0.connect(name, stream).await.map_err(|error| reason(&error))
    }
}

/// What an error of the handshake means.
fn reason(error: &io::Error) -> FailReason {
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        return FailReason::TlsHandshake;
    };
    match tls {
        Error::InvalidCertificate(problem) => match problem {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => FailReason::TlsExpired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => FailReason::TlsNotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => FailReason::TlsName,
            CertificateError::UnknownIssuer => FailReason::TlsIssuer,
            _ => FailReason::TlsCertificate,
        },
        Error::AlertReceived(AlertDescription::ProtocolVersion)
        | Error::InvalidMessage(_)
        | Error::PeerIncompatible(_)
        | Error::NoApplicationProtocol => FailReason::TlsProtocol,
        _ => FailReason::TlsHandshake,
    }
}
