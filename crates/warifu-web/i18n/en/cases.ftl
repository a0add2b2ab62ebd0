## The console
composer-to = { $followers ->
    [0] to <b>{ $name }</b>
    [one] to <b>{ $name }</b> and { $followers } follower
   *[other] to <b>{ $name }</b> and { $followers } followers
  }
