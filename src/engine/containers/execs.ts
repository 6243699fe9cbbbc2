/** The collection of execs: further processes in running containers. */
import type { Session } from '../../api/endpoint.ts'
import type { ExecCreate, ExecInspect, ExecStart } from '../../api/exec.ts'

export class Execs {
  async create(_container: string, _body: ExecCreate): Promise<{ Id: string }> {
    throw new Error('being written')
  }
  /** Undefined when detached: it runs, nobody listens. */
  async start(_id: string, _body: ExecStart): Promise<Session | undefined> {
    throw new Error('being written')
  }
  async resize(_id: string, _size: { readonly rows: number; readonly columns: number }): Promise<void> {}
  async inspect(_id: string): Promise<ExecInspect> {
    throw new Error('being written')
  }
}
