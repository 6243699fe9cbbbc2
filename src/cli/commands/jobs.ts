/** The jobs of a stack: when they run next, and how they ended. */
import { keeperEndpoints } from '../../api/keeper.ts'
import { Failure } from '../../lib/failure.ts'
import { jobRow, outcomeText, runRows } from '../../view/jobs.ts'
import { command } from '../command.ts'
import { keeperOf } from '../keeping.ts'
import { formatOption, printList } from '../print.ts'
import { projectName } from '../project.ts'

export const jobs = command({
  usage: '[OPTIONS] [SERVICE...]',
  about: 'Services with x-schedule are run by the keeper, which up starts; they run on until down.',
  options: {
    all: { kind: 'flag', short: 'a', about: 'Of every stack that is held, not only of this one' },
    history: { kind: 'flag', about: 'Show each run that is remembered' },
    run: { kind: 'flag', about: 'Run the services now, beside their schedule' },
    format: formatOption,
  },
  examples: [
    ['tscompose jobs', 'when each job runs next, and how it ended last'],
    ['tscompose jobs --history backup', 'its runs, and what they have printed last'],
    ['tscompose jobs --run backup', 'run it now'],
  ],
  async run(call) {
    const { options, screen, args, signal } = call
    const client = await call.connect()
    const keeper = await keeperOf(call, client)
    if (!keeper) {
      screen.say('Nothing is scheduled: no keeper runs, which "tscompose up" starts for a stack with x-schedule')
      return options.run ? 1 : 0
    }
    try {
      const name = options.all ? undefined : await projectName(call)
      if (options.run) {
        if (args.length === 0 || name === undefined)
          throw new Failure('invalid', 'Cannot run jobs: name the services, of one stack')
        for (const service of args)
          await keeper.call(keeperEndpoints.jobRun, { params: { name }, query: { service } }, { signal })
        return 0
      }
      const found = (await keeper.call(keeperEndpoints.jobList, {}, { signal }))
        .filter(job => name === undefined || job.Stack === name)
        .filter(job => args.length === 0 || args.includes(job.Service))
      if (options.history)
        await printList(screen, {
          format: options.format,
          rows: found.flatMap(runRows),
          columns: {
            STACK: row => row.Stack,
            SERVICE: row => row.Service,
            DUE: row => row.Due,
            BY: row => row.By,
            OUTCOME: row => outcomeText(row),
            TOOK: row => (row.Took === undefined ? '' : `${row.Took}s`),
            OUTPUT: row => row.Output.at(-1) ?? '',
          },
          json: 'lines',
        })
      else
        await printList(screen, {
          format: options.format,
          rows: found.map(jobRow),
          columns: {
            STACK: row => row.Stack,
            SERVICE: row => row.Service,
            SCHEDULE: row => row.Schedule,
            NEXT: row => row.Next,
            LAST: row => row.Last,
            OUTCOME: row => outcomeText(row),
          },
          json: 'lines',
        })
      return 0
    } finally {
      keeper.close()
    }
  },
})
