/** A terminal in a container (xterm): what is typed goes there, its size too; a lost connection is made again, to the same shell. */
import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import { withStyleNonce } from './style-nonce.ts'

export interface ShellTerminal {
  close(): void
  focus(): void
}

export interface ShellOptions {
  readonly box: HTMLElement
  readonly container: string
  /** What became of it, in words; empty while it is as it should be. */
  onState(text: string): void
}

export function openShell({ box, container, onState }: ShellOptions): ShellTerminal {
  const colour = (name: string): string => getComputedStyle(box).getPropertyValue(name).trim()
  const terminal = new Terminal({
    fontFamily: colour('--mono') || 'monospace',
    fontSize: 13,
    cursorBlink: false,
    scrollback: 5000,
    // its accessible copy is what a screen reader, and a test, reads
    screenReaderMode: true,
    theme: { background: '#161514', foreground: '#f1eeea', cursor: '#f1eeea', selectionBackground: '#3c5a78' },
  })
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  withStyleNonce(() => terminal.open(box))
  let socket: WebSocket | undefined
  let shell: string | undefined
  let isOver = false
  let attempts = 0

  const resize = (): void => {
    fit.fit()
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ resize: [terminal.rows, terminal.cols] }))
  }
  const connect = (): void => {
    const query = new URLSearchParams(shell === undefined ? { container } : { container, shell })
    const own = new WebSocket(`ws://${location.host}/api/shell?${query}`)
    own.binaryType = 'arraybuffer'
    socket = own
    own.onopen = () => {
      attempts = 0
      onState('')
      resize()
    }
    own.onmessage = ({ data }) => {
      if (typeof data === 'string') told(JSON.parse(data) as Told)
      else terminal.write(new Uint8Array(data as ArrayBuffer))
    }
    own.onclose = ({ code }) => {
      if (isOver) return
      if (code === 4000) {
        isOver = true
        onState('It was opened elsewhere')
        return
      }
      onState('The connection is lost; trying again')
      setTimeout(connect, Math.min(300 * 2 ** attempts++, 5000))
    }
  }
  const told = ({ shell: id, ended, error }: Told): void => {
    if (id !== undefined) {
      // what was printed comes again
      terminal.reset()
      if (shell !== undefined && shell !== id)
        terminal.writeln('\x1b[2mThe shell before has ended; this is another one.\x1b[0m')
      shell = id
    }
    if (ended !== undefined) {
      isOver = true
      onState(`The shell has ended${ended === null || ended === 0 ? '' : ` with ${ended}`}`)
    }
    if (error !== undefined) {
      isOver = true
      onState(error)
    }
  }
  const encoder = new TextEncoder()
  terminal.onData(text => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(encoder.encode(text))
  })
  const observer = new ResizeObserver(resize)
  observer.observe(box)
  connect()
  return {
    focus: () => terminal.focus(),
    close() {
      isOver = true
      observer.disconnect()
      socket?.close()
      terminal.dispose()
    },
  }
}

interface Told {
  readonly shell?: string
  readonly ended?: number | null
  readonly error?: string
}
