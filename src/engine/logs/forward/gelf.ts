/** Driver gelf: datagrams, compressed and in pieces, or messages with a NUL behind each over TCP. */
import { promisify } from 'node:util'
import { deflate, gzip } from 'node:zlib'
import type { LogInfo } from '../log-info.ts'
import { targetText } from './address.ts'
import { gelfDatagrams, gelfFields, gelfText } from './gelf-format.ts'
import { gelfSettings } from './gelf-options.ts'
import type { Route } from './sender.ts'
import { StreamConnection } from './stream-connection.ts'
import { UdpConnection } from './udp-connection.ts'

const compressors = { gzip: promisify(gzip), zlib: promisify(deflate) } as const

export function gelfRoute(info: LogInfo): Route {
  const { target, compression } = gelfSettings(info.options)
  const fields = gelfFields(info)
  const { type, level } = compression
  const compressed = async (text: string) =>
    type === 'none' ? Buffer.from(text) : compressors[type](Buffer.from(text), { level })
  return {
    to: targetText(target),
    unchecked: false,
    connect: async signal => {
      if (target.kind === 'tcp') {
        const connection = await StreamConnection.open(target, signal)
        return {
          // an empty line would be no message to GELF, which wants one
          send: async message => {
            if (message.text !== '') await connection.write(`${gelfText(message, info.hostname, fields)}\0`)
          },
          close: () => connection.close(),
        }
      }
      const connection = await UdpConnection.open(target)
      return {
        send: async message => {
          if (message.text === '') return
          const bytes = await compressed(gelfText(message, info.hostname, fields))
          for (const each of gelfDatagrams(bytes)) await connection.send(each)
        },
        close: () => connection.close(),
      }
    },
  }
}
