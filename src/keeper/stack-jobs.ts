/** The jobs of one held stack as it changes: loaded only when it has some. */
import type { Job, JobRun } from '../api/keeper.ts'
import { Failure, messageOf } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import type { Jobs, JobsOptions } from './jobs.ts'

export interface StackJobsOptions extends Pick<JobsOptions, 'client' | 'say'> {
  /** Of what is known of the project. */
  readonly folder: string
}

export class StackJobs {
  readonly #options: StackJobsOptions
  #jobs: Promise<Jobs | undefined> = Promise.resolve(undefined)

  constructor(options: StackJobsOptions) {
    this.#options = options
  }

  /** In place of what came due before; a run that goes on is followed on. `since`: milliseconds since 1970, from when it counts. */
  schedule(project: Project, since: number): void {
    const before = this.#jobs
    this.#jobs = this.#replace(before, project, since)
    this.#jobs.catch(error => this.#options.say(`${project.name}: ${messageOf(error)}`))
  }

  async list(): Promise<readonly Job[]> {
    return (await this.#jobs)?.list() ?? []
  }

  /** @throws Failure `not-found` for what is no job */
  async run(service: string): Promise<JobRun> {
    const jobs = await this.#jobs
    if (!jobs) throw new Failure('not-found', `Service "${service}" has no schedule`)
    return jobs.runNow(service)
  }

  async close(): Promise<void> {
    const before = this.#jobs
    this.#jobs = Promise.resolve(undefined)
    await (await before)?.close()
  }

  async #replace(before: Promise<Jobs | undefined>, project: Project, since: number): Promise<Jobs | undefined> {
    await (await before)?.close()
    if (!Object.values(project.services).some(({ schedule }) => schedule !== undefined)) return undefined
    const [{ Jobs }, { JobHistory }] = await Promise.all([import('./jobs.ts'), import('./job-history.ts')])
    const { client, folder, say } = this.#options
    const jobs = new Jobs(project, { client, since, say, history: new JobHistory(folder, say) })
    jobs.start()
    return jobs
  }
}
