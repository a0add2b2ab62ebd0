## The console
composer-to = { $followers ->
    [0] 宛先 <b>{ $name }</b> 様
   *[other] 宛先 <b>{ $name }</b> 様ほか{ $followers }名
  }
