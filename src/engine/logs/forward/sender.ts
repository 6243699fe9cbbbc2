/** What takes messages to a log server: one connection, made anew when it breaks. */
import type { LogInfo } from '../log-info.ts'
import type { LogMessage } from './message.ts'

export interface Sender {
  /**
   * Resolves when the message is out of our hands. Whoever is killed after that has sent it.
   * @throws Failure `invalid` when this message can never be sent, any other error when the connection is of no use any more.
   */
  send(message: LogMessage): Promise<void>
  close(): Promise<void>
}

export interface Route {
  /** Where to, for people: "udp://127.0.0.1:514". */
  readonly to: string
  /** Nobody looks whether somebody is there before the container starts. */
  readonly unchecked: boolean
  /** @throws Error saying why not. */
  connect(signal: AbortSignal): Promise<Sender>
}

/** How messages of one container are sent, by its driver. */
export type RouteOf = (info: LogInfo) => Route
