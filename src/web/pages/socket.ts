/** The one connection to the server: what is shown is opened on it, and opened again when it was lost. */
import { signal } from '@preact/signals'
import type { Opening, ToPage, ToServer } from '../wire.ts'

export interface Opened {
  data(data: unknown): void
  /** The server has nothing more to say of it; with why, when it failed. */
  end?(error: string | undefined): void
  /** It begins from the start: what was told before counts no longer. */
  begin?(): void
}

/** live: connected. away: trying to be. out: the server does not know us. */
export const connection = signal<'live' | 'away' | 'out'>('away')

const open = new Map<number, { readonly what: Opening; readonly to: Opened }>()
let socket: WebSocket | undefined
let last = 0
let attempts = 0

/** Until the result is called. */
export function watch(what: Opening, to: Opened): () => void {
  const on = ++last
  open.set(on, { what, to })
  if (socket?.readyState === WebSocket.OPEN) begin(on)
  else connect()
  return () => {
    if (open.delete(on)) send({ close: on })
  }
}

function begin(on: number): void {
  const { what, to } = open.get(on)!
  to.begin?.()
  send({ open: on, what })
}

function send(message: ToServer): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
}

function connect(): void {
  if (socket && socket.readyState <= WebSocket.OPEN) return
  const own = new WebSocket(`ws://${location.host}/api/live`)
  socket = own
  own.onopen = () => {
    attempts = 0
    connection.value = 'live'
    for (const on of open.keys()) begin(on)
  }
  own.onmessage = ({ data }) => {
    const message = JSON.parse(data as string) as ToPage
    const found = open.get(message.on)
    if (!found) return
    if ('data' in message) found.to.data(message.data)
    else {
      open.delete(message.on)
      found.to.end?.(message.error)
    }
  }
  own.onclose = () => {
    if (connection.value !== 'out') connection.value = 'away'
    void again()
  }
}

/** Soon at first, then every few seconds. */
async function again(): Promise<void> {
  const wait = Math.min(200 * 2 ** attempts++, 5000)
  await new Promise(resolve => setTimeout(resolve, wait))
  try {
    const { status } = await fetch('/api/about')
    if (status === 401) {
      connection.value = 'out'
      return
    }
  } catch {
    // not there yet: the next attempt tells
  }
  connect()
}
