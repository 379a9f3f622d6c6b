package rtc

import "github.com/gov86/gov86/hw"

// A date is a civil date and time of day, UTC.
type date struct{ year, month, day, hour, minute, second int64 }

// civil is the date of a second since 1970-01-01, by the proleptic Gregorian
// calendar. Years are counted from March, so that the leap day is the last.
func civil(t int64) date {
	days, rest := t/86400, t%86400
	if rest < 0 {
		days, rest = days-1, rest+86400
	}
	z := days + 719468 // days since 0000-03-01
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d := date{yoe + era*400, mp + 3, doy - (153*mp+2)/5 + 1, rest / 3600, rest / 60 % 60, rest % 60}
	if d.month > 12 {
		d.month -= 12
		d.year++
	}
	return d
}

// unix is the inverse of civil. Fields beyond their range carry over.
func (d date) unix() int64 {
	y, m := d.year, d.month
	if m <= 2 {
		y, m = y-1, m+12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d.day - 1
	days := era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
	return ((days*24+d.hour)*60+d.minute)*60 + d.second
}

func toBCD(v uint8) uint8   { return v/10<<4 | v%10 }
func fromBCD(v uint8) uint8 { return v>>4*10 + v&15 }

// seconds is the second since 1970 that is shown at guest time t, unless held.
func (r *RTC) seconds(t hw.Time) int64 {
	return int64(r.epoch) + int64((uint64(t)+r.phase)/second)
}

// field is time register i at second t, as the formats in register B show it.
func (r *RTC) field(i uint8, t int64) uint8 {
	d := civil(t)
	var v int64
	switch i {
	case seconds:
		v = d.second
	case minutes:
		v = d.minute
	case hours:
		return r.showHour(uint8(d.hour))
	case weekday:
		days := (t - (t%86400+86400)%86400) / 86400
		v = (days%7+7+4)%7 + 1 // 1970-01-01 was a Thursday; Sunday is 1
	case day:
		v = d.day
	case month:
		v = d.month
	case year:
		v = d.year % 100
	case Century:
		return toBCD(uint8(d.year / 100))
	}
	return r.show(uint8(v))
}

func (r *RTC) show(v uint8) uint8 {
	if r.cmos[regB]&binary == 0 {
		return toBCD(v)
	}
	return v
}

func (r *RTC) showHour(h uint8) uint8 {
	if r.cmos[regB]&hours24 != 0 {
		return r.show(h)
	}
	v := r.show((h+11)%12 + 1)
	if h >= 12 {
		v |= pm
	}
	return v
}

// hold stops the time: its registers are memory from now on.
func (r *RTC) hold() {
	if r.held {
		return
	}
	r.fill()
	r.held = true
}

// fill stores the time in its registers.
func (r *RTC) fill() {
	t := r.seconds(r.clock.Now())
	for i := range r.cmos {
		if isTime(uint8(i)) {
			r.cmos[i] = r.field(uint8(i), t)
		}
	}
}

// release lets the time go on from what its registers say, if nothing holds it.
func (r *RTC) release() {
	if r.held && !r.holds() {
		r.held = false
		r.run()
	}
}

// run has the time go on from its registers. Where in a second it is depends
// on the divider alone.
func (r *RTC) run() {
	r.epoch = uint64(r.written()) - (uint64(r.clock.Now())+r.phase)/second
}

// setField is a write to time register i. A driver that sets the date holds the
// time, for in between there may be days that no month has.
func (r *RTC) setField(i, v uint8) {
	if r.held {
		r.cmos[i] = v
		return
	}
	r.fill()
	r.cmos[i] = v
	r.run()
}

// written is the second that the time registers spell. What is out of range
// carries over.
func (r *RTC) written() int64 {
	value := func(i uint8) int64 {
		if r.cmos[regB]&binary == 0 {
			return int64(fromBCD(r.cmos[i]))
		}
		return int64(r.cmos[i])
	}
	d := date{
		year:  int64(fromBCD(r.cmos[Century]))*100 + value(year),
		month: min(max(value(month), 1), 12), day: value(day),
		hour: value(hours), minute: value(minutes), second: value(seconds),
	}
	if r.cmos[regB]&hours24 == 0 {
		h := r.cmos[hours] &^ pm
		if r.cmos[regB]&binary == 0 {
			h = fromBCD(h)
		}
		d.hour = int64(h % 12)
		if r.cmos[hours]&pm != 0 {
			d.hour += 12
		}
	}
	return d.unix()
}
