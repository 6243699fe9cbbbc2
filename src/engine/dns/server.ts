/** The name server at 127.0.0.11 inside each sandbox: the containers' own names, and the rest forwarded. */
export interface ServeOptions {
  /** The container's own `dns:` servers; asked from inside the sandbox. Empty: the host's. */
  readonly servers?: readonly string[]
  /** Set when the container exposes or publishes port 53: its own name server may then bind 0.0.0.0:53. */
  readonly ownNameServer?: boolean
}

export class Dns {
  /** Listens in a sandbox, once it exists. */
  async serve(_sandbox: string, _containerId: string, _options: ServeOptions = {}): Promise<void> {}
  stop(_sandbox: string): void {}
  close(): void {}
}
