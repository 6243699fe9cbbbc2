/** Driver journald: a datagram for each line to the socket of systemd's journal. */
import { randomBytes } from 'node:crypto'
import { Failure } from '../../../lib/failure.ts'
import type { LogInfo } from '../log-info.ts'
import { journalEntry, journalFields } from './journald-format.ts'
import type { Route } from './sender.ts'
import { UnixDatagrams } from './unix-datagrams.ts'

export const journalSocket = '/run/systemd/journal/socket'

export function journaldRoute(info: LogInfo, socket = journalSocket): Route {
  const fields = journalFields(info, randomBytes(32).toString('hex'))
  let sent = 0
  return {
    to: 'journald',
    unchecked: false,
    connect: async () => {
      const datagrams = openJournal(socket)
      return {
        send: async message => {
          await datagrams.send(journalEntry(message, fields, sent + 1))
          sent++
        },
        close: () => datagrams.close(),
      }
    },
  }
}

/** @throws Failure in the words of the real engine when there is no journal. */
function openJournal(socket: string): UnixDatagrams {
  try {
    return UnixDatagrams.open(socket)
  } catch (cause) {
    throw new Failure('unavailable', 'journald is not enabled on this host', { cause })
  }
}
