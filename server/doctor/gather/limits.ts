/** `otherwise` when the look takes too long or fails: one that hangs must not keep the others from being told. */
export async function within<T>(limitMs: number, look: Promise<T>, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), limitMs);
  });
  try {
    return await Promise.race([look.catch(() => otherwise), limit]);
  } finally {
    clearTimeout(timer);
  }
}
