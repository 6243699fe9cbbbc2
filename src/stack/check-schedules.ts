/** Judges the cron texts of `x-schedule` by the library that reads them; loaded only where there are some. */
import { Cron } from 'croner'
import { messageOf } from '../lib/failure.ts'
import type { Problems } from '../lib/problems.ts'
import type { Project } from '../model/project.ts'
import { scheduleKey } from './own-keys.ts'

export function checkSchedules(project: Project, problems: Problems): void {
  for (const { name, schedule } of Object.values(project.services)) {
    if (schedule === undefined) continue
    const why = reason(schedule.cron, schedule.timezone)
    if (why === undefined) continue
    const path = ['services', name, scheduleKey]
    const message = `Cannot schedule service "${name}": ${why}`
    problems.add({ severity: 'error', code: 'bad-value', place: project.place(path), path, message })
  }
}

/** Why it never comes due, or is no time at all. */
function reason(cron: string, timezone: string | undefined): string | undefined {
  if (timezone !== undefined && !isTimezone(timezone)) return `"${timezone}" is no time zone`
  try {
    const next = new Cron(cron, { paused: true, ...(timezone === undefined ? {} : { timezone }) }).nextRun()
    return next === null ? `"${cron}" never comes` : undefined
  } catch (error) {
    return `"${cron}" is no cron text: ${messageOf(error).replace(/^CronPattern: /, '')}`
  }
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    // which is what it throws for
    return false
  }
}
