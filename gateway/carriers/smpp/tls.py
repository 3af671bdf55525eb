"""How a carrier is connected to by TLS."""

import ssl

from gateway.carriers.smpp.options import SmppOptions


def context(options: SmppOptions) -> ssl.SSLContext | None:
    """The TLS context that the options ask for, or None. Raises OSError for a file that cannot be read or is none."""
    if not options.tls:
        return None
    try:
        made = ssl.create_default_context(cafile=options.tls_ca or None)
    except ssl.SSLError:
        raise OSError(f"{options.tls_ca} holds no certificates in PEM") from None
    except OSError as error:
        raise OSError(f"{options.tls_ca} cannot be read: {error.strerror}") from None
    if not options.tls_verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made
