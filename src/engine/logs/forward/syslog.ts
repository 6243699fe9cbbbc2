/** Driver syslog: over UDP, TCP, TLS and the machine's own sockets. */
import { Failure } from '../../../lib/failure.ts'
import { type LogInfo, tagOf } from '../log-info.ts'
import { type Target, targetText } from './address.ts'
import type { Route, Sender } from './sender.ts'
import { StreamConnection } from './stream-connection.ts'
import { syslogLine } from './syslog-format.ts'
import { syslogSettings } from './syslog-options.ts'
import { UdpConnection } from './udp-connection.ts'
import { UnixDatagrams } from './unix-datagrams.ts'

/** Where a machine's own syslog listens, by either kind of socket. */
const localSockets = ['/dev/log', '/var/run/syslog', '/var/run/log']

interface Lines {
  send(line: Buffer): Promise<void>
  close(): Promise<void>
}

export function syslogRoute(info: LogInfo): Route {
  const { target, facility, format } = syslogSettings(info.options)
  const framed = target?.kind === 'tls'
  const tag = tagOf(info, '{{.ID}}')
  const source = { format, facility, hostname: info.hostname, tag, pid: process.pid, framed }
  return {
    to: target ? targetText(target) : 'syslog',
    unchecked: false,
    connect: async (signal): Promise<Sender> => {
      const lines = target ? await openLines(target, signal) : await openLocal(signal)
      return {
        // an empty line says nothing, and is not sent
        send: async message => {
          if (message.text !== '') await lines.send(Buffer.from(syslogLine(message, source)))
        },
        close: () => lines.close(),
      }
    },
  }
}

async function openLines(target: Target, signal: AbortSignal): Promise<Lines> {
  switch (target.kind) {
    case 'udp':
      return UdpConnection.open(target)
    case 'unixgram':
      return UnixDatagrams.open(target.path)
    default: {
      const connection = await StreamConnection.open(target, signal)
      return { send: line => connection.write(line), close: () => connection.close() }
    }
  }
}

/** @throws Failure in the words of the real engine when there is none. */
async function openLocal(signal: AbortSignal): Promise<Lines> {
  const reasons: unknown[] = []
  for (const kind of ['unixgram', 'unix'] as const)
    for (const path of localSockets)
      try {
        return await openLines({ kind, path }, signal)
      } catch (error) {
        reasons.push(error)
      }
  throw new Failure('unavailable', 'Unix syslog delivery error', { cause: new AggregateError(reasons) })
}
