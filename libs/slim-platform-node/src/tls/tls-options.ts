import type { SlimError } from '@nestjs-slim/core';

/** Certificates or a key in PEM: the text itself, or the file that has it. */
export type Pem = string | { readonly file: string };

/** The one version of TLS that is offered, as an official node does it (reference: data plane 6.5). */
export type TlsVersion = 'tls1.3' | 'tls1.2';

/** What both ends of a link have to say about TLS. */
interface TlsSettings {
  /** `tls1.3` unless said otherwise. */
  readonly version?: TlsVersion;
  /** A file that changed cannot be used: the one read before stays in use until the next change. */
  readonly onTlsError?: (error: SlimError) => void;
}

/**
 * How a listener encrypts. Its files are looked at once a second; a change concerns connections accepted from
 * then on.
 */
export interface ListenerTls extends TlsSettings {
  /** The certificate, with those between it and its authority behind it. */
  readonly cert: Pem;
  /** The private key of the certificate. */
  readonly key: Pem;
  /** Authorities of clients. With it, a client without a certificate of theirs gets no link. */
  readonly clientCa?: Pem;
}

/** How a dialler encrypts. Its files are read again at every dial. */
export interface DiallerTls extends TlsSettings {
  /** Authorities that may have signed the certificate of the node; those of the system when absent. */
  readonly ca?: Pem;
  /** Trust the authorities of the system beside those of `ca`; false unless said otherwise. */
  readonly systemCas?: boolean;
  /** Our own certificate, where the node asks for one, and its private key. */
  readonly cert?: Pem;
  readonly key?: Pem;
  /** The name that the certificate must have and that is asked for, instead of the host. */
  readonly serverName?: string;
  /** Take any certificate of the node: whoever is in between can then read and change everything. */
  readonly insecureSkipVerify?: boolean;
}
