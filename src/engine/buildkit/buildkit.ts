/** BuildKit's protocol in front of the builder: connections of `POST /grpc` and `POST /session`. */

import { serveGrpc } from '../../api/buildkit/grpc-server.ts'
import type { TakeConnection } from '../../api/endpoint.ts'
import { debug } from '../../lib/debug.ts'
import type { ClassicBuild } from '../build/classic/classic.ts'
import { bridgeService } from './bridge-service.ts'
import { type ControlParts, controlService } from './control-service.ts'
import { Jobs } from './jobs.ts'
import { type SessionHello, Sessions } from './sessions.ts'
import { Uploads } from './uploads.ts'

const log = debug('buildkit')

export type BuildKitOptions = Omit<ControlParts, 'jobs' | 'sessions'> & {
  /** Defects: a line each. */
  readonly say: (line: string) => void
}

export class BuildKit {
  readonly #sessions = new Sessions()
  readonly #uploads = new Uploads()
  readonly #parts: ControlParts
  readonly #say: BuildKitOptions['say']
  readonly #over = new AbortController()

  constructor({ say, ...parts }: BuildKitOptions) {
    this.#parts = { ...parts, jobs: new Jobs(), sessions: this.#sessions }
    this.#say = say
  }

  /** Calls of a client to the builder. */
  grpc(): TakeConnection {
    const services = [controlService(this.#parts), bridgeService(this.#parts)]
    const options = {
      services,
      onProblem: this.#say,
      onCall: (path: string, { milliseconds, status }: { milliseconds: number; status: string }) =>
        log('%s %s %s ms', path, status, milliseconds.toFixed(1)),
    }
    return connection => serveGrpc(connection, options, this.#over.signal)
  }

  /** `POST /build?version=2`. */
  async build(build: ClassicBuild): Promise<void> {
    const { buildOverHttp } = await import('./http-build.ts')
    const signal = AbortSignal.any([build.signal, this.#over.signal])
    await buildOverHttp({ ...this.#parts, uploads: this.#uploads }, { ...build, signal })
  }

  /** What a client serves. @throws Failure `invalid`, `conflict`: see Sessions. */
  session(hello: SessionHello): TakeConnection {
    return this.#sessions.open(hello)
  }

  /** Ends all builds: their clients are cut off. */
  close(): void {
    this.#over.abort()
    this.#sessions.close()
  }
}
