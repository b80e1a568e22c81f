import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Link, SlimError } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { makeCertificate } from '../../../../test/support/certificates.js';
import { filesAreRead } from '../../../../test/support/files-are-read.js';
import { LinkProbe } from '../../../slim-core/src/testing/link-probe.js';
import { http2Dialler } from '../http2-dialler.js';
import { listenHttp2 } from '../http2-listener.js';

const authority = makeCertificate({ subject: 'authority' });
const otherAuthority = makeCertificate({ subject: 'other authority' });
const hosts = ['127.0.0.1'];
const first = makeCertificate({ subject: 'first', hosts, issuer: authority });
const second = makeCertificate({ subject: 'second', hosts, issuer: authority });
const never = new AbortController().signal;
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'slim-tls-'));
  ends.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** As tools do that care: a reader finds the old file or the new one. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

async function start(
  certFile: string,
  keyFile: string,
  extra: { clientCa?: { file: string } } = {},
) {
  const clock = new ManualClock();
  const errors: SlimError[] = [];
  const onTlsError = (error: SlimError): unknown => errors.push(error);
  const tls = { cert: { file: certFile }, key: { file: keyFile }, onTlsError, ...extra };
  const links: Link[] = [];
  const echo = (link: Link): void => {
    links.push(link);
    const probe: LinkProbe = new LinkProbe(link, () =>
      link.send(probe.frames.at(-1) ?? Uint8Array.of()),
    );
  };
  const listener = await listenHttp2({ host: '127.0.0.1', port: 0, clock, tls }, echo);
  ends.push(() => listener.close());
  /** Lets the listener look at its files, and take what it found once they rest. */
  const look = async (): Promise<void> => {
    clock.advance(1_000);
    await filesAreRead();
    clock.advance(200);
  };
  await filesAreRead();
  clock.advance(200);
  return { listener, clock, errors, look, port: Number(new URL(listener.url).port) };
}

/** Who the listener says it is, to a connection made now. */
function subjectAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', ca: authority.cert });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
  });
}

describe('certificates of a listener', () => {
  it('are replaced for new connections, and links go on', async () => {
    const path = folder();
    const [certFile, keyFile] = [join(path, 'cert.pem'), join(path, 'key.pem')];
    writeFileSync(certFile, first.cert);
    writeFileSync(keyFile, first.key);
    const { listener, port, errors, look } = await start(certFile, keyFile);
    const tls = { ca: authority.cert };
    const probe = new LinkProbe(await http2Dialler(listener.url, { tls }).dial(never));
    expect(await subjectAt(port)).toBe('first');
    replace(keyFile, second.key);
    replace(certFile, second.cert);
    await look();
    expect(await subjectAt(port)).toBe('second');
    probe.link.send(Uint8Array.of(7));
    await probe.received(1);
    expect(probe.ends).toStrictEqual([]);
    expect(errors).toStrictEqual([]);
    await probe.link.close();
  });

  it('stay as they are, and are reported, when the new file is broken', async () => {
    const path = folder();
    const [certFile, keyFile] = [join(path, 'cert.pem'), join(path, 'key.pem')];
    writeFileSync(certFile, first.cert);
    writeFileSync(keyFile, first.key);
    const { port, errors, look } = await start(certFile, keyFile);
    replace(certFile, 'not a certificate');
    await look();
    await look();
    expect(errors.splice(0)).toMatchObject([
      { code: 'invalid-config', message: expect.stringContaining(certFile) },
    ]);
    expect(await subjectAt(port)).toBe('first');
    replace(certFile, second.cert);
    await look();
    expect(errors.map(({ message }) => message)).toStrictEqual([
      `the key in ${keyFile} is not the key of the certificate in ${certFile}`,
    ]);
    expect(await subjectAt(port)).toBe('first');
    replace(keyFile, second.key);
    await look();
    expect(await subjectAt(port)).toBe('second');
  });

  it('stay as they are while a file is missing, and change when it is back', async () => {
    const path = folder();
    const [certFile, keyFile] = [join(path, 'cert.pem'), join(path, 'key.pem')];
    writeFileSync(certFile, first.cert);
    writeFileSync(keyFile, first.key);
    const { port, errors, look } = await start(certFile, keyFile);
    rmSync(keyFile);
    await look();
    expect(errors).toMatchObject([{ message: expect.stringContaining(`${keyFile}: `) }]);
    expect(await subjectAt(port)).toBe('first');
    // In place, as tools do that care for nothing.
    writeFileSync(certFile, second.cert);
    writeFileSync(keyFile, second.key);
    await look();
    expect(await subjectAt(port)).toBe('second');
  });

  it('follow the symbolic links that Kubernetes swaps', async () => {
    const path = folder();
    for (const [name, pair] of [['..1', first] as const, ['..2', second] as const]) {
      mkdirSync(join(path, name));
      writeFileSync(join(path, name, 'tls.crt'), pair.cert);
      writeFileSync(join(path, name, 'tls.key'), pair.key);
    }
    symlinkSync('..1', join(path, '..data'));
    for (const file of ['tls.crt', 'tls.key']) symlinkSync(join('..data', file), join(path, file));
    const { port, errors, look } = await start(join(path, 'tls.crt'), join(path, 'tls.key'));
    expect(await subjectAt(port)).toBe('first');
    symlinkSync('..2', join(path, '..data_tmp'));
    renameSync(join(path, '..data_tmp'), join(path, '..data'));
    rmSync(join(path, '..1'), { recursive: true });
    await look();
    expect(await subjectAt(port)).toBe('second');
    expect(errors).toStrictEqual([]);
  });

  it('may be in one file with their key, which is looked at once', async () => {
    const file = join(folder(), 'both.pem');
    writeFileSync(file, first.cert + first.key);
    const { port, clock, errors, look } = await start(file, file);
    expect(clock.pending).toBe(1);
    replace(file, second.cert + second.key);
    await look();
    expect(await subjectAt(port)).toBe('second');
    expect(errors).toStrictEqual([]);
  });

  it('ask for certificates of another authority once its file says so', async () => {
    const path = folder();
    const [certFile, keyFile, file] = [
      join(path, 'c.pem'),
      join(path, 'k.pem'),
      join(path, 'a.pem'),
    ];
    writeFileSync(certFile, first.cert);
    writeFileSync(keyFile, first.key);
    writeFileSync(file, authority.cert);
    const { listener, look } = await start(certFile, keyFile, { clientCa: { file } });
    const dial = async (issuer: typeof authority): Promise<boolean> => {
      const { cert, key } = makeCertificate({ subject: 'client', issuer });
      const dialler = http2Dialler(listener.url, { tls: { ca: authority.cert, cert, key } });
      const link = await dialler.dial(never).catch(() => undefined);
      await link?.close();
      return link !== undefined;
    };
    expect([await dial(authority), await dial(otherAuthority)]).toStrictEqual([true, false]);
    replace(file, otherAuthority.cert);
    await look();
    expect([await dial(authority), await dial(otherAuthority)]).toStrictEqual([false, true]);
  });
});

describe('certificates of a dialler', () => {
  it('are read at each dial, and the last good ones are kept', async () => {
    const path = folder();
    const file = join(path, 'ca.pem');
    const { cert, key } = first;
    const listener = await listenHttp2(
      { host: '127.0.0.1', port: 0, tls: { cert, key } },
      () => undefined,
    );
    ends.push(() => listener.close());
    const errors: SlimError[] = [];
    const tls = { ca: { file }, onTlsError: (error: SlimError) => errors.push(error) };
    const dialler = http2Dialler(listener.url, { tls });
    const dial = async (): Promise<void> => (await dialler.dial(never)).close();
    await expect(dial()).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining(file),
    });
    writeFileSync(file, otherAuthority.cert);
    await expect(dial()).rejects.toMatchObject({ code: 'link-failed' });
    writeFileSync(file, authority.cert);
    await dial();
    writeFileSync(file, 'broken');
    await dial();
    expect(errors).toMatchObject([
      { code: 'invalid-config', message: expect.stringContaining(file) },
    ]);
  });
});
