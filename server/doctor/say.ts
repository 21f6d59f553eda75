/** Small words that the checks share. */

/** A command as it is shown in a sentence. */
export function quotes(command: string): string {
  return `\`${command}\``;
}

/** At most so many of a list, and how many more there are. */
export function listed(items: readonly string[], most = 5): string {
  const shown = items.slice(0, most).join(', ');
  return items.length <= most ? shown : `${shown} and ${items.length - most} more`;
}
