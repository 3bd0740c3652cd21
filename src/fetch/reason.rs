//! Why a fetch has no page: typed reasons, each with the stable word that stands in tables.

use super::guard::UrlRefusal;

/// Vocabulary of typed reasons, each with the stable word that stands in tables.
macro_rules! reasons {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vmeta])* #[doc = concat!("`", $text, "`")] $variant,)+ }

        impl $name {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable word that stands in tables.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

reasons! {
    /// Why there is no page.
    FailReason {
        /// The permit ran out before it was used.
        PermitExpired = "permit_expired",
        /// The permit targets another host than the URL's.
        HostMismatch = "host_mismatch",
        UrlInvalid = "url_invalid",
        UrlScheme = "url_scheme",
        UrlCredentials = "url_credentials",
        UrlPort = "url_port",
        UrlIpLiteral = "url_ip_literal",
        UrlLocalName = "url_local_name",
        UrlHostForm = "url_host_form",
        UrlTooLong = "url_too_long",
        /// A dry run asks no network.
        NetworkNotServed = "network_not_served",
        /// The cassette does not hold the request.
        NotRecorded = "not_recorded",
        /// Not a host of the demo web.
        HostNotInDemo = "host_not_in_demo",
        /// The demo web speaks plain HTTP.
        DemoWithoutTls = "demo_without_tls",
        RobotsNotAsked = "robots_not_asked",
        RobotsDisallow = "robots_disallow",
        /// robots.txt could not be read, which disallows everything.
        RobotsUnreachable = "robots_unreachable",
        TdmNotAsked = "tdm_not_asked",
        TdmReserved = "tdm_reserved",
        /// tdmrep.json exists but could not be read.
        TdmUnreachable = "tdm_unreachable",
        /// ai.txt forbids the page.
        AiDisallow = "ai_disallow",
        /// The resolver gave no address that may be used.
        Resolve = "resolve",
        /// The name leads to an address that is not on the public internet.
        AddressDenied = "address_denied",
        Connect = "connect",
        TimeoutConnect = "timeout_connect",
        TimeoutFirstByte = "timeout_first_byte",
        TimeoutRead = "timeout_read",
        TimeoutTotal = "timeout_total",
        /// The connection went to another address than the vetted one.
        RemoteAddress = "remote_address",
        /// The certificate's time is over.
        TlsExpired = "tls_expired",
        TlsNotYetValid = "tls_not_yet_valid",
        /// The certificate is another host's.
        TlsName = "tls_name",
        /// Signed by itself, or by nobody whom the system trusts.
        TlsIssuer = "tls_issuer",
        /// Something else is wrong with the certificate.
        TlsCertificate = "tls_certificate",
        /// Not TLS, or a version that is not safe any more.
        TlsProtocol = "tls_protocol",
        /// The server broke the handshake off.
        TlsHandshake = "tls_handshake",
        /// Not HTTP, or HTTP that contradicts itself.
        Protocol = "protocol",
        HeadersTooLarge = "headers_too_large",
        HttpStatus = "http_status",
        /// 304, and nobody had asked whether the page changed.
        NotModifiedUnasked = "not_modified_unasked",
        /// 304 about another state of the page than the one that is known.
        NotModifiedOther = "not_modified_other",
        NotFound = "not_found",
        /// 410: what was kept of the page must go.
        Gone = "gone",
        /// 401 or 403.
        AccessDenied = "access_denied",
        /// 429 or 503, even after waiting.
        Overloaded = "overloaded",
        RedirectWithoutLocation = "redirect_without_location",
        /// The target breaks a rule of the URL guard.
        RedirectRefused = "redirect_refused",
        /// From https to http.
        RedirectDowngrade = "redirect_downgrade",
        RedirectLoop = "redirect_loop",
        /// A content coding that was not asked for, or several.
        ContentCoding = "content_coding",
        /// The content coding is broken or not complete.
        CodingBroken = "coding_broken",
        /// A bomb: far more came out than came in.
        DecodeRatio = "decode_ratio",
        ContentType = "content_type",
        /// The bytes are not what the content type says.
        TypeMismatch = "type_mismatch",
        BodyTooLarge = "body_too_large",
        Truncated = "truncated",
        /// `X-Robots-Tag` or a robots meta tag.
        NoIndex = "noindex",
        /// The page may be read but not kept, so the recording does not hold it.
        NoArchive = "no_archive",
        /// `Content-Usage` (AIPREF).
        UsageDenied = "usage_denied",
    }
}

reasons! {
    /// Why a fetch was given up.
    AbandonReason {
        Cancelled = "cancelled",
        BudgetRun = "budget_requests_run",
        BudgetHost = "budget_requests_host",
        BudgetSource = "budget_requests_source",
        BudgetNight = "budget_requests_night",
        /// The turn of the host would come after the end of the run.
        BudgetTime = "budget_seconds_run",
        /// `Retry-After` reaches beyond the end of the run.
        RetryAfter = "retry_after",
        /// The site asks for more than the longest delay that is waited.
        CrawlDelay = "crawl_delay",
        BreakerOpen = "breaker_open",
        /// 401 or 403 several times in a row.
        HostStopped = "host_stopped",
    }
}

impl FailReason {
    /// Whether somebody said no, in contrast to something that went wrong.
    pub(super) const fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::RobotsDisallow
                | Self::TdmReserved
                | Self::AiDisallow
                | Self::NoIndex
                | Self::NoArchive
                | Self::UsageDenied
                | Self::AccessDenied
                | Self::AddressDenied
                | Self::RedirectRefused
                | Self::RedirectDowngrade
        )
    }
}

impl From<UrlRefusal> for FailReason {
    fn from(refusal: UrlRefusal) -> Self {
        match refusal {
            UrlRefusal::Invalid => Self::UrlInvalid,
            UrlRefusal::Scheme => Self::UrlScheme,
            UrlRefusal::Credentials => Self::UrlCredentials,
            UrlRefusal::Port => Self::UrlPort,
            UrlRefusal::IpLiteral => Self::UrlIpLiteral,
            UrlRefusal::LocalName => Self::UrlLocalName,
            UrlRefusal::HostForm => Self::UrlHostForm,
            UrlRefusal::TooLong => Self::UrlTooLong,
        }
    }
}
